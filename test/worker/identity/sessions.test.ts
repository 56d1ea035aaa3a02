import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { env } from "cloudflare:workers";
import { api } from "./support/admin-api.ts";
import { signedIn } from "./support/browser.ts";
import { newKey, newUser } from "./support/people.ts";

// A browser session ends with whatever it stands on, at the browser's next request.

const NOW = 1_800_000_000_000;
const HOUR = 60 * 60_000;

let admin: string;
beforeAll(async () => {
  admin = (await newKey(await newUser(["admin"]))).secret;
});
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => void vi.useRealTimers());

/** A person who has signed in with an access key, and whose page has been shown. */
async function person(roles = ["shopper"]) {
  const user = await newUser(roles);
  const { id, secret } = await newKey(user);
  const browser = await signedIn(secret);
  const page = async (path = "/account") => (await browser.request(path)).status;
  expect(await page()).toBe(200);
  return { user, keyId: id, page };
}
type Person = Awaited<ReturnType<typeof person>>;

const TO_SIGN_IN = 303;

describe("the next request of a browser is sent to sign in after", () => {
  it.each<[string, (person: Person) => Promise<unknown>]>([
    ["its key is revoked", ({ keyId }) => api(admin, "POST", `/keys/${keyId}/revoke`)],
    ["its user is disabled", ({ user }) => api(admin, "POST", `/users/${user}/disable`)],
    ["its user is deleted", ({ user }) => api(admin, "DELETE", `/users/${user}`)],
    [
      "its key expires",
      async ({ keyId }) => {
        await env.DB.prepare("UPDATE access_keys SET expires_at = ?2 WHERE id = ?1")
          .bind(keyId, NOW + 1_000)
          .run();
        vi.setSystemTime(NOW + 1_000);
      },
    ],
    ["four hours", async () => void vi.setSystemTime(NOW + 4 * HOUR)],
  ])("%s", async (_, end) => {
    const known = await person();
    await end(known);
    expect(await known.page()).toBe(TO_SIGN_IN);
  });
});

it("the next request of a browser has the roles that its user was given", async () => {
  const { user, page } = await person();
  expect(await page("/admin")).toBe(403);
  await api(admin, "PUT", `/users/${user}/roles`, { roles: ["admin"] });
  expect(await page("/admin")).toBe(200);
  await api(admin, "PUT", `/users/${user}/roles`, { roles: ["shopper"] });
  expect(await page("/admin")).toBe(403);
});
