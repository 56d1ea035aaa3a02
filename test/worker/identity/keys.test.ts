import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { runBatch } from "../../../src/database/run-batch.ts";
import { disableUser, enableUser, revokeKey } from "../../../src/identity/administration.ts";
import { newAccessKey } from "../../../src/identity/secrets.ts";
import { fill, sample } from "../support/catalog.ts";
import { signedIn } from "./support/browser.ts";
import { answers, bearer, challenge, post, search, send } from "./support/deployed.ts";
import { granted } from "./support/oauth-client.ts";
import { newKey, newUser } from "./support/people.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

beforeAll(() => fill(sample));
afterEach(() => {
  vi.useRealTimers();
});

const callWith = (key: string) => post(search(), bearer(key));

const problemSchema = z.object({ error: z.string(), error_description: z.string() });

/** Returns the code that a key is refused with; undefined for a good one. */
async function problemOf(key: string): Promise<string | undefined> {
  const response = await callWith(key);
  if (response.status === 200) return undefined;
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toMatch(/^Bearer /);
  expect(challenge(response)["error"]).toBe("invalid_token");
  const { error, error_description } = problemSchema.parse(await response.json());
  expect(error).toBe("invalid_token");
  return error_description.split(":")[0];
}

const swapped = (key: string, at: number) =>
  key.slice(0, at) + (key.at(at) === "A" ? "B" : "A") + key.slice(at + 1);

describe("a good key", () => {
  it("is accepted", async () => {
    const { secret } = await newKey(await newUser());
    const response = await callWith(secret);
    expect(response.status).toBe(200);
    expect(await answers(response)).toMatchObject([
      { result: { structuredContent: { products: [{ sku: "SKU-10001" }] } } },
    ]);
  });

  it("has the expected format and holds 256 bits", () => {
    const [one, other] = [newAccessKey(), newAccessKey()];
    expect(one.secret).toMatch(/^pcm_[\w-]{43}_[\w-]{6}$/);
    expect(one.secret).not.toBe(other.secret);
    expect(one.hash).not.toContain(one.secret.slice(4, 20));
  });
});

describe("a bad key is refused by its own code:", () => {
  it("key_unknown", async () => {
    expect(await problemOf(newAccessKey().secret)).toBe("key_unknown");
  });

  it.each([
    { how: "last character cut", mistype: (key: string) => key.slice(0, -1) },
    { how: "end cut", mistype: (key: string) => key.slice(0, -7) },
    { how: "half cut", mistype: (key: string) => key.slice(0, 25) },
    { how: "prefix alone", mistype: () => "pcm_" },
    { how: "one character wrong", mistype: (key: string) => swapped(key, 10) },
    { how: "end wrong", mistype: (key: string) => swapped(key, key.length - 1) },
    { how: "something added", mistype: (key: string) => `${key}x` },
    { how: "pasted twice", mistype: (key: string) => key + key },
  ])("key_malformed: $how", async ({ mistype }) => {
    const { secret } = await newKey(await newUser());
    expect(await problemOf(mistype(secret))).toBe("key_malformed");
  });

  it("key_expired, from the moment it expires", async () => {
    const { id, secret } = await newKey(await newUser(), { expires_in_days: 1 });
    const { expires_at } = z
      .object({ expires_at: z.int() })
      .parse(await env.DB.prepare("SELECT expires_at FROM access_keys WHERE id = ?").bind(id).first());
    vi.useFakeTimers({ toFake: ["Date"], now: expires_at - 1 });
    expect(await problemOf(secret)).toBeUndefined();
    vi.setSystemTime(expires_at);
    expect(await problemOf(secret)).toBe("key_expired");
  });

  it("key_revoked, on the next call; the user's other key still works", async () => {
    const user = await newUser();
    const [revoked, other] = [await newKey(user), await newKey(user)];
    expect(await problemOf(revoked.secret)).toBeUndefined();
    await runBatch(env.DB, revokeKey(revoked.id, Date.now()));
    expect(await problemOf(revoked.secret)).toBe("key_revoked");
    expect(await problemOf(other.secret)).toBeUndefined();
  });

  it("user_disabled, on the next call, by every key, until enabled again", async () => {
    const user = await newUser();
    const keys = [await newKey(user), await newKey(user)];
    const problems = () => Promise.all(keys.map(({ secret }) => problemOf(secret)));
    expect(await problems()).toEqual([undefined, undefined]);
    await runBatch(env.DB, disableUser(user, Date.now()));
    expect(await problems()).toEqual(["user_disabled", "user_disabled"]);
    await runBatch(env.DB, enableUser(user));
    expect(await problems()).toEqual([undefined, undefined]);
  });

  it.each(["token", "a:b:c", "x".repeat(500), `PCM_${"a".repeat(43)}_abcdef`])(
    "a bearer that is neither key nor token: %s",
    async (token) => {
      const response = await callWith(token);
      expect(response.status).toBe(401);
      expect(challenge(response)["error"]).toBe("invalid_token");
    },
  );
});

const lastUse = async (id: string) =>
  z
    .object({ last_used_at: z.int().nullable() })
    .parse(await env.DB.prepare("SELECT last_used_at FROM access_keys WHERE id = ?").bind(id).first())
    .last_used_at;

describe("last use", () => {
  it("is written, and again only after an hour", async () => {
    const { id, secret } = await newKey(await newUser());
    expect(await lastUse(id)).toBeNull();
    const first = Date.now() + MINUTE;
    vi.useFakeTimers({ toFake: ["Date"], now: first });
    await callWith(secret);
    await vi.waitFor(async () => expect(await lastUse(id)).toBe(first));

    // The other key's write comes later on the same path: once it exists, this one's would exist too.
    const other = await newKey(await newUser());
    vi.setSystemTime(first + 59 * MINUTE);
    await callWith(secret);
    await callWith(other.secret);
    await vi.waitFor(async () => expect(await lastUse(other.id)).toBe(first + 59 * MINUTE));
    expect(await lastUse(id)).toBe(first);

    vi.setSystemTime(first + 60 * MINUTE);
    await callWith(secret);
    await vi.waitFor(async () => expect(await lastUse(id)).toBe(first + 60 * MINUTE));
  });

  it.each([
    {
      use: "the admin API",
      run: (secret: string) => send("/admin/api/users", { headers: bearer(secret) }),
    },
    { use: "signing in", run: (secret: string) => signedIn(secret) },
  ])("counts $use", async ({ run }) => {
    const { id, secret } = await newKey(await newUser(["admin"]));
    await run(secret);
    await vi.waitFor(async () => expect(await lastUse(id)).not.toBeNull());
  });

  it("is not written for a refused key", async () => {
    const { id, secret } = await newKey(await newUser(), { expires_in_days: 1 });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2 * DAY });
    expect(await problemOf(secret)).toBe("key_expired");
    const other = await newKey(await newUser());
    await callWith(other.secret);
    await vi.waitFor(async () => expect(await lastUse(other.id)).not.toBeNull());
    expect(await lastUse(id)).toBeNull();
  });
});

/** Returns everything that the database and the store of sign-ins hold, as text. */
async function everythingStored(): Promise<string> {
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '_cf_*'",
  ).all<{ name: string }>();
  const rows = await Promise.all(
    tables.results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).raw()),
  );
  const { keys } = await env.OAUTH_KV.list();
  const values = await Promise.all(
    keys.map(async ({ name, metadata }) => [name, metadata, await env.OAUTH_KV.get(name)]),
  );
  return JSON.stringify([rows, values]);
}

it("stores no secret: neither key, nor cookie, nor code, nor token", async () => {
  const { user, browser, code, tokens } = await granted();
  const { id, secret } = await newKey(user);
  await callWith(secret);
  const stored = await everythingStored();
  // Proves that the searched text is not empty.
  expect(stored).toContain(id);
  expect(stored).toContain(`grant:${user}:`);

  const session = browser.cookies.get("__Host-session") ?? "";
  const secretParts = [
    secret.slice(4, 47),
    session,
    // A token is user:grant:secret; only the last part is secret.
    ...[code, tokens.access_token, tokens.refresh_token].map((token) => token.split(":").at(2) ?? ""),
  ];
  for (const part of secretParts) {
    expect(part.length).toBeGreaterThan(20);
    expect(stored).not.toContain(part);
  }
});
