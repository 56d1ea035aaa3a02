import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import * as z from "zod";
import { api } from "../identity/support/admin-api.ts";
import { Browser, signedIn } from "../identity/support/browser.ts";
import { ORIGIN } from "../identity/support/deployed.ts";
import { Issuer, signOn } from "../identity/support/issuer.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { decisionsOf, stop } from "./support.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const keySchema = z.object({ key: z.string() });

/** Creates a user with a key whose work can be stopped. */
async function suspect(roles: string[]) {
  const principal = await newUser(roles);
  const { secret } = await newKey(principal);
  return { principal, secret, object: env.USER_WINDOWS.getByName(principal) };
}

/** Creates another admin with a key, as a suspect who is an admin could by the API. */
async function puppetOf({ secret }: { secret: string }, id = `puppet-${crypto.randomUUID()}`) {
  await api(secret, "POST", "/users", { id, name: "Puppet", roles: ["admin"] });
  const made = await api(secret, "POST", "/keys", { user: id, label: "x" });
  return signedIn(keySchema.parse(await made.json()).key);
}

/** Returns the status of each way to let the work go on. */
async function tries(browser: Browser, principal: string, incident: string): Promise<number[]> {
  const ask = async (path: string, fields: Record<string, string>) =>
    (await browser.post(path, fields)).status;
  return [
    await ask(`/confirm/${incident}`, { decision: "allow" }),
    await ask(`/admin/incidents/${incident}`, { decision: "released" }),
    await ask(`/admin/callers/${principal}/release`, {}),
  ];
}
const DAY_MS = 24 * 60 * 60 * 1000;
const REFUSED = [403, 409, 409];

it("a stopped admin can't allow itself with a user or key that it created, before or after", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const before = await newKey(await newUser(["admin"]));
  vi.setSystemTime(Date.now() + 1);
  const caller = await suspect(["admin"]);
  const early = await puppetOf(caller);
  const incident = await stop(caller);
  const late = await puppetOf(caller);
  const other = await newUser(["admin"]);
  const forOther = await api(caller.secret, "POST", "/keys", { user: other, label: "x" });
  const stolen = await signedIn(keySchema.parse(await forOther.json()).key);
  for (const browser of [early, late, stolen])
    expect(await tries(browser, caller.principal, incident)).toEqual(REFUSED);
  expect(await decisionsOf(caller)).toEqual([]);
  const [status] = await tries(await signedIn(before.secret), caller.principal, incident);
  expect(status).toBe(200);
});

it("a key that is newer than the admin it decides about may decide after a week", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const caller = await suspect(["admin"]);
  vi.setSystemTime(Date.now() + 60_000);
  const { secret } = await newKey(await newUser(["admin"]));
  vi.setSystemTime(Date.now() + 7 * DAY_MS);
  const incident = await stop(caller);
  expect(await tries(await signedIn(secret), caller.principal, incident)).toEqual(REFUSED);
  vi.setSystemTime(Date.now() + 1);
  const [status] = await tries(await signedIn(secret), caller.principal, incident);
  expect(status).toBe(200);
});

it("a new admin key may decide about callers that create no keys", async () => {
  const caller = await suspect(["support"]);
  const incident = await stop(caller);
  const { secret } = await newKey(await newUser(["admin"]));
  const [status] = await tries(await signedIn(secret), caller.principal, incident);
  expect(status).toBe(200);
});

it("a person signed in at the provider may decide about new accounts", async () => {
  const caller = await suspect(["admin"]);
  const incident = await stop(caller);
  const issuer = new Issuer();
  issuer.listen();
  const browser = new Browser(ORIGIN, issuer.settings);
  await signOn(browser, issuer, { sub: "root", name: "Root", groups: ["catalog-admin"] });
  const [status] = await tries(browser, caller.principal, incident);
  expect(status).toBe(200);
});
