import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { newAccessKey } from "../../../src/identity/secrets.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { bearer, form, post, send } from "../identity/support/deployed.ts";
import { codeFor, exchange, ready, tokensOf } from "../identity/support/oauth-client.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { withoutPace } from "../support/pace.ts";

beforeAll(() => ensureMigrated(env.DB));
withoutPace();

const {
  failed_credentials: failed,
  failed_token_requests: failedTokens,
  token_requests: byGrant,
} = policyInForce().unauthenticated;
let addresses = 0;
const newAddress = () => ({ "cf-connecting-ip": `203.0.113.${++addresses}` });
const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };

/** Returns how often each status was answered. */
async function statuses(times: number, ask: () => Promise<Response>): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (let made = 0; made < times; made += 10) {
    const answered = await Promise.all(Array.from({ length: 10 }, ask));
    for (const { status } of answered) counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

describe.each([
  ["keys", "/mcp", () => newAccessKey().secret],
  ["tokens", "/mcp", () => `user:grant:${crypto.randomUUID()}`],
  ["keys of admins", "/admin/api/users", () => newAccessKey().secret],
])("random %s at %s", (_, path, secret) => {
  it("are looked up only so often, and a credential in use still works", async () => {
    const address = newAddress();
    const { secret: good } = await newKey(await newUser(["admin"]));
    const ask = (key: string, from = address) =>
      path === "/mcp"
        ? post(list, { ...bearer(key), ...from })
        : send(path, { headers: { ...bearer(key), ...from } });
    expect((await ask(good)).status).toBe(200);
    const counts = await statuses(300, () => ask(secret()));
    expect(counts[401]).toBeGreaterThanOrEqual(failed.max);
    // A few seconds refill part of the budget.
    expect(counts[401]).toBeLessThan(failed.max * 1.5);
    expect((await ask(good)).status).toBe(200);
    expect((await ask(secret(), newAddress())).status).toBe(401);
  });
});

describe("session cookies", () => {
  const cookie = (secret: string) => ({ cookie: `__Host-session=${secret}` });

  it("that are random are looked up so often and no more, and an office in session goes on", async () => {
    const address = newAddress();
    const { secret: key } = await newKey(await newUser());
    const origin = "https://catalog.someone.workers.dev";
    const signedIn = await send("/sign-in", form({ key, next: "/account" }, { origin, ...address }));
    const [session = ""] = (signedIn.headers.get("set-cookie") ?? "").split(";");
    const own = () => send("/account", { headers: { cookie: session, ...address } });
    expect((await own()).status).toBe(200);
    const prepared: string[] = [];
    const prepare = env.DB.prepare.bind(env.DB);
    const spy = vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      if (sql.includes("FROM sessions")) prepared.push(sql);
      return prepare(sql);
    });
    const counts = await statuses(300, () =>
      send("/account", { headers: { ...cookie(crypto.randomUUID()), ...address }, redirect: "manual" }),
    );
    spy.mockRestore();
    expect(counts[429]).toBeGreaterThan(100);
    expect(prepared.length).toBeLessThan(failed.max * 1.5);
    expect((await own()).status).toBe(200);
  });

  it("of one tab that stays open after its session do not use up the budget of its office", async () => {
    const address = newAddress();
    const ended = cookie(crypto.randomUUID());
    const counts = await statuses(300, () =>
      send("/account", { headers: { ...ended, ...address }, redirect: "manual" }),
    );
    expect(counts[429]).toBeGreaterThan(0);
    const other = { headers: { ...cookie(crypto.randomUUID()), ...address }, redirect: "manual" as const };
    expect((await send("/account", other)).status).toBe(303);
  });
});

it("a client that repeats one expired key does not use up the budget of its office", async () => {
  const address = newAddress();
  const expired = newAccessKey().secret;
  const counts = await statuses(300, () => post(list, { ...bearer(expired), ...address }));
  expect(counts[429]).toBeGreaterThan(0);
  const { secret } = await newKey(await newUser());
  expect((await post(list, { ...bearer(secret), ...address })).status).toBe(200);
});

describe("requests for tokens", () => {
  const refreshAt = (address: Record<string, string>, client_id: string, refresh_token: string) =>
    send("/oauth/token", form({ grant_type: "refresh_token", client_id, refresh_token }, address));

  it("that fail are limited by address, and a client in use still refreshes at that address", async () => {
    const address = newAddress();
    const { browser, flow } = await ready();
    const first = await tokensOf(await exchange(flow, await codeFor(browser, flow)));
    const counts = await statuses(300, () => refreshAt(address, crypto.randomUUID(), "a:b:c"));
    expect(counts[401]).toBeLessThan(failedTokens.max * 1.5);
    expect(counts[429]).toBeGreaterThan(0);
    expect((await refreshAt(address, flow.clientId, first.refresh_token)).status).toBe(200);
  });

  it("are limited by client and grant, wherever they come from", async () => {
    const { browser, flow } = await ready();
    const { refresh_token } = await tokensOf(await exchange(flow, await codeFor(browser, flow)));
    const counts = await statuses(60, () => refreshAt(newAddress(), flow.clientId, refresh_token));
    expect(counts[200]).toBeLessThanOrEqual(byGrant.max * 1.5);
    expect(counts[429]).toBeGreaterThan(0);
  });
});
