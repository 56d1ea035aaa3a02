import { createExecutionContext, evictDurableObject, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { app } from "../../../src/app.ts";
import type { CallerNamespace } from "../../../src/caller/caller-do.ts";
import { recordsOf } from "../support/caller.ts";
import { fill, sample } from "../support/catalog.ts";
import { failing } from "../support/failing-callers.ts";
import { modern } from "../support/modern.ts";
import { api } from "./support/admin-api.ts";
import { DEPLOYED, ORIGIN, RESOURCE, answers, bearer, form, search, send } from "./support/deployed.ts";
import { granted, refresh, token } from "./support/oauth-client.ts";
import { newKey, newUser } from "./support/people.ts";

// An isolate keeps the identity of a known caller. Whatever takes something away is seen by the caller's next call.

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

type App = typeof app;
/** A second copy of the product's modules: what another isolate has in memory. */
let other: App;
let admin: string;

beforeAll(async () => {
  await fill(sample);
  vi.resetModules();
  ({ app: other } = await import("../../../src/app.ts"));
  admin = (await newKey(await newUser(["admin"]))).secret;
});
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Sends a call to one isolate. `settings` may replace bindings. */
async function callOf(isolate: App, body: object, headers: object, settings: object = {}): Promise<Response> {
  const request = new Request(RESOURCE, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      host: new URL(ORIGIN).host,
      ...headers,
    },
    body: JSON.stringify(body),
  });
  const ctx = createExecutionContext();
  const response = await isolate.fetch(request, { ...env, ...DEPLOYED, ...settings, ctx }, ctx);
  const text = await response.text();
  await waitOnExecutionContext(ctx);
  return new Response(text, response);
}

const newer = modern("tools/call", { name: "search_products", arguments: { query: "keyboard" } });
const LANES = {
  "2026-07-28": (secret: string, isolate: App = app, settings: object = {}) =>
    callOf(isolate, newer.body, { ...newer.headers, ...bearer(secret) }, settings),
  "2025-11-25": (secret: string, isolate: App = app, settings: object = {}) =>
    callOf(isolate, search(), bearer(secret), settings),
};
const call = LANES["2026-07-28"];

/** Callers' objects that can't be reached by one method, after the first `working` requests for it. */
function losing(method: "decideAll" | "forgetIdentity", working = 0): CallerNamespace {
  let asked = 0;
  return new Proxy(env.USER_WINDOWS, {
    get(namespace, property) {
      if (property !== "getByName") return Reflect.get(namespace, property);
      return (name: string) =>
        new Proxy(namespace.getByName(name), {
          get(stub, wanted) {
            if (wanted !== method || asked++ < working) return Reflect.get(stub, wanted);
            return () => Promise.reject(new Error("away"));
          },
        });
    },
  });
}

/** Counts the readings of identities from now on. */
function countReadings(): { readonly count: number } {
  const prepare = vi.spyOn(env.DB, "prepare");
  const before = prepare.mock.calls.length;
  return {
    get count() {
      return prepare.mock.calls
        .slice(before)
        .filter(([sql]) => /FROM (?:access_keys|external_identities)/.test(sql)).length;
    },
  };
}

/** Makes calls until the isolate keeps the identity. */
async function warm(secret: string, isolate: App = app): Promise<void> {
  for (let made = 0; made < 2; made++) expect((await call(secret, isolate)).status).toBe(200);
  const readings = countReadings();
  expect((await call(secret, isolate)).status).toBe(200);
  expect(readings.count).toBe(0);
}

async function byKey(roles = ["shopper"]) {
  const user = await newUser(roles);
  const { id, secret } = await newKey(user);
  return { user, keyId: id, secret, object: env.USER_WINDOWS.getByName(user) };
}

/** A caller with an OAuth token, which was got with an access key. */
async function byToken(roles = ["shopper"]) {
  const { user, tokens, flow, browser } = await granted(roles);
  const { results } = await env.DB.prepare("SELECT id FROM access_keys WHERE user_id = ?").bind(user).all();
  const keyId = String(results[0]?.["id"]);
  return { user, keyId, secret: tokens.access_token, tokens, flow, browser };
}

type Person = Awaited<ReturnType<typeof byKey | typeof byToken>>;

/** Requests to the admin API that take an identity away. */
const REMOVALS: Record<string, [method: string, path: (person: Pick<Person, "keyId" | "user">) => string]> = {
  "its key is revoked": ["POST", ({ keyId }) => `/keys/${keyId}/revoke`],
  "its user is disabled": ["POST", ({ user }) => `/users/${user}/disable`],
  "its user is deleted": ["DELETE", ({ user }) => `/users/${user}`],
};

describe.each(Object.entries({ "an access key": byKey, "an OAuth token": byToken }))("by %s", (_, person) => {
  it("a known caller's identity is read once a minute", async () => {
    const { secret } = await person();
    await warm(secret);
    vi.setSystemTime(NOW + MINUTE - 1);
    const readings = countReadings();
    await call(secret);
    expect(readings.count).toBe(0);
    vi.setSystemTime(NOW + MINUTE);
    await call(secret);
    expect(readings.count).toBe(1);
    await call(secret);
    expect(readings.count).toBe(1);
  });

  it("a clock that is set back makes it read again", async () => {
    const { secret } = await person();
    await warm(secret);
    vi.setSystemTime(NOW - 1);
    const readings = countReadings();
    await call(secret);
    expect(readings.count).toBe(1);
  });

  describe.each(Object.entries(LANES))("on %s", (__, ask) => {
    it.each(Object.entries(REMOVALS))("the next call of every isolate sees that %s", async (___, removal) => {
      const known = await person();
      await warm(known.secret);
      await warm(known.secret, other);
      const [method, path] = removal;
      expect((await api(admin, method, path(known))).status).toBe(200);
      expect((await ask(known.secret, other)).status).toBe(401);
      expect((await ask(known.secret)).status).toBe(401);
    });

    it("the next call of every isolate has the roles that its user was given", async () => {
      const known = await person(["support"]);
      await warm(known.secret);
      await warm(known.secret, other);
      await api(admin, "PUT", `/users/${known.user}/roles`, { roles: ["inventory"] });
      for (const isolate of [other, app]) await ask(known.secret, isolate);
      const attempts = (await recordsOf(env.USER_WINDOWS.getByName(known.user))).filter(
        ({ kind }) => kind === "attempt",
      );
      expect(attempts.slice(-3).map((each) => "roles" in each && each.roles)).toEqual([
        ["support"],
        ["inventory"],
        ["inventory"],
      ]);
    });
  });

  it("its expiry is seen without the database", async () => {
    const known = await person();
    await env.DB.prepare("UPDATE access_keys SET expires_at = ?2 WHERE id = ?1")
      .bind(known.keyId, NOW + 1_000)
      .run();
    await warm(known.secret);
    vi.setSystemTime(NOW + 999);
    expect((await call(known.secret)).status).toBe(200);
    vi.setSystemTime(NOW + 1_000);
    expect((await call(known.secret)).status).toBe(401);
  });

  it("an eviction of the object between any two steps loses no change", async () => {
    const known = await person();
    const object = env.USER_WINDOWS.getByName(known.user);
    for (let made = 0; made < 3; made++) {
      expect((await call(known.secret)).status).toBe(200);
      await evictDurableObject(object);
    }
    await api(admin, "POST", `/users/${known.user}/disable`);
    await evictDurableObject(object);
    expect((await call(known.secret)).status).toBe(401);
    await api(admin, "POST", `/users/${known.user}/enable`);
    await evictDurableObject(object);
    await warm(known.secret);
    await evictDurableObject(object);
    await api(admin, "POST", `/keys/${known.keyId}/revoke`);
    await evictDurableObject(object);
    expect((await call(known.secret)).status).toBe(401);
  });
});

it("the expiry of an OAuth token is seen by the next call", async () => {
  const { secret, tokens } = await byToken();
  const expiresAt = NOW + tokens.expires_in * 1_000;
  await warm(secret);
  vi.setSystemTime(expiresAt - MINUTE / 2);
  expect((await call(secret)).status).toBe(200);
  const readings = countReadings();
  vi.setSystemTime(expiresAt - 1);
  expect((await call(secret)).status).toBe(200);
  expect(readings.count).toBe(0);
  vi.setSystemTime(expiresAt);
  expect((await call(secret)).status).toBe(401);
});

describe("an OAuth token is refused at the next call after", () => {
  it.each<[string, (person: Awaited<ReturnType<typeof byToken>>) => Promise<unknown>]>([
    [
      "the client revokes it",
      ({ flow, tokens }) => token({ token: tokens.access_token, client_id: flow.clientId }),
    ],
    [
      "the client revokes its refresh token",
      ({ flow, tokens }) => token({ token: tokens.refresh_token, client_id: flow.clientId }),
    ],
    [
      "its refresh token is used a second time",
      async ({ flow, tokens }) => {
        await refresh(flow, tokens.refresh_token);
        vi.setSystemTime(NOW + 31_000);
        await refresh(flow, tokens.refresh_token);
      },
    ],
    [
      "the user ends the connection",
      async ({ browser, tokens }) => {
        const [, grant = ""] = tokens.access_token.split(":");
        await browser.post("/account/clients/revoke", { id: grant });
      },
    ],
  ])("%s", async (_, end) => {
    const known = await byToken();
    await warm(known.secret);
    await warm(known.secret, other);
    await end(known);
    expect((await call(known.secret, other)).status).toBe(401);
    expect((await call(known.secret)).status).toBe(401);
  });
});

describe("a call with a former identity", () => {
  it("is neither charged nor recorded before it is served with the present one", async () => {
    const { user, secret, object } = await byKey();
    await warm(secret);
    await env.USER_WINDOWS.getByName(user).forgetIdentity();
    const before = await recordsOf(object);
    const readings = countReadings();
    const response = await call(secret);
    expect(response.status).toBe(200);
    expect(readings.count).toBe(1);
    // A public answer does not wait until it is settled.
    await vi.waitFor(async () => expect(await recordsOf(object)).toHaveLength(before.length + 2));
    expect((await recordsOf(object)).slice(before.length)).toMatchObject([
      { kind: "attempt", correlation_id: response.headers.get("x-request-id") },
      { kind: "outcome" },
    ]);
  });

  it.each(["ping", "initialize", "tools/list"])("is refused a %s too", async (method) => {
    const { keyId, secret } = await byKey();
    await warm(secret);
    await api(admin, "POST", `/keys/${keyId}/revoke`);
    const params = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "test", version: "1" },
    };
    const message = { jsonrpc: "2.0", id: 1, method, ...(method === "initialize" && { params }) };
    expect((await callOf(app, message, bearer(secret))).status).toBe(401);
  });

  it("is refused a whole batch", async () => {
    const { keyId, secret, object } = await byKey();
    await warm(secret);
    await api(admin, "POST", `/keys/${keyId}/revoke`);
    const before = (await recordsOf(object)).length;
    expect((await callOf(app, [search(1), search(2), search(3)], bearer(secret))).status).toBe(401);
    expect(await recordsOf(object)).toHaveLength(before);
  });

  it("serves every call of a batch once", async () => {
    const { user, secret, object } = await byKey();
    await warm(secret);
    await env.USER_WINDOWS.getByName(user).forgetIdentity();
    const before = (await recordsOf(object)).length;
    const response = await callOf(app, [search(1), search(2), search(3)], bearer(secret));
    expect((await answers(response)).map(({ id }) => id)).toEqual([1, 2, 3]);
    expect((await recordsOf(object)).slice(before).filter(({ kind }) => kind === "attempt")).toHaveLength(3);
  });
});

it("an identity that was read before a revocation, and arrives after it, is not kept", async () => {
  const { keyId, secret } = await byKey();
  for (let made = 0; made < 2; made++) await call(secret);
  vi.setSystemTime(NOW + MINUTE);
  // The isolate reads the identity, and the key is revoked before the read arrives.
  const prepare = env.DB.prepare.bind(env.DB);
  vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
    const statement = prepare(sql);
    if (!sql.includes("WHERE k.hash = ?")) return statement;
    const bind = statement.bind.bind(statement);
    vi.spyOn(statement, "bind").mockImplementation((...values) => {
      const bound = bind(...values);
      const first = bound.first.bind(bound);
      vi.spyOn(bound, "first").mockImplementationOnce(async () => {
        const row = await first();
        vi.restoreAllMocks();
        expect((await api(admin, "POST", `/keys/${keyId}/revoke`)).status).toBe(200);
        return row;
      });
      return bound;
    });
    return statement;
  });
  await call(secret);
  expect((await call(secret)).status).toBe(401);
});

describe("while the caller's object can't be reached", () => {
  const away = () => Promise.reject(new Error("away"));
  const unreached = () => ({
    USER_WINDOWS: failing("decideAll", ...Array.from({ length: 10 }, () => away)).callers,
  });

  it("a kept identity is believed for a minute", async () => {
    const { secret } = await byKey();
    await warm(secret);
    const readings = countReadings();
    vi.setSystemTime(NOW + MINUTE - 1);
    expect((await call(secret, app, unreached())).status).toBe(200);
    expect(readings.count).toBe(0);
    vi.setSystemTime(NOW + MINUTE);
    expect((await call(secret, app, unreached())).status).toBe(200);
    expect(readings.count).toBe(1);
  });

  /** Settings under which no object learns that an identity has changed. */
  const unforgotten = () => ({ ...DEPLOYED, USER_WINDOWS: losing("forgetIdentity") });

  it.each(Object.entries(REMOVALS))(
    "nobody is told that %s, and it takes effect within a minute",
    async (_, [method, path]) => {
      const known = await byKey();
      await warm(known.secret);
      const init = { method, headers: bearer(admin) };
      expect((await send(`/admin/api${path(known)}`, init, unforgotten())).status).toBe(503);
      vi.setSystemTime(NOW + MINUTE);
      expect((await call(known.secret, app, unreached())).status).toBe(401);
    },
  );

  it("other roles are not acknowledged, and take effect within a minute", async () => {
    const known = await byKey(["support"]);
    await warm(known.secret);
    const init = {
      method: "PUT",
      headers: { ...bearer(admin), "content-type": "application/json" },
      body: JSON.stringify({ roles: ["inventory"] }),
    };
    const path = `/admin/api/users/${known.user}/roles`;
    expect((await send(path, init, unforgotten())).status).toBe(503);
    vi.setSystemTime(NOW + MINUTE);
    await call(known.secret);
    const [attempt] = (await recordsOf(known.object)).filter(({ kind }) => kind === "attempt").slice(-1);
    expect(attempt).toMatchObject({ roles: ["inventory"] });
  });

  it("the revocation of an OAuth token is not acknowledged, and takes effect within a minute", async () => {
    const { secret, flow } = await byToken();
    await warm(secret);
    const revocation = form({ token: secret, client_id: flow.clientId });
    expect((await send("/oauth/token", revocation, unforgotten())).status).toBe(503);
    vi.setSystemTime(NOW + MINUTE);
    expect((await call(secret)).status).toBe(401);
  });

  it("after it has refused a former identity, the present one is believed", async () => {
    const { keyId, secret } = await byKey();
    await warm(secret);
    await api(admin, "POST", `/keys/${keyId}/revoke`);
    expect((await call(secret, app, { USER_WINDOWS: losing("decideAll", 1) })).status).toBe(401);
    const unrevoked = await byKey();
    await warm(unrevoked.secret);
    await unrevoked.object.forgetIdentity();
    const readings = countReadings();
    expect((await call(unrevoked.secret, app, { USER_WINDOWS: losing("decideAll", 1) })).status).toBe(200);
    expect(readings.count).toBe(1);
  });

  it("a second try acknowledges the revocation", async () => {
    const { keyId, secret } = await byKey();
    await warm(secret);
    const init = { method: "POST", headers: bearer(admin) };
    const { callers } = failing("forgetIdentity", away);
    await send(`/admin/api/keys/${keyId}/revoke`, init, { ...DEPLOYED, USER_WINDOWS: callers });
    expect((await send(`/admin/api/keys/${keyId}/revoke`, init)).status).toBe(200);
    expect((await call(secret)).status).toBe(401);
  });
});

it("a made-up token of a revocation makes no object store anything", async () => {
  const { flow } = await byToken();
  const user = await newUser();
  await token({ token: `${user}:grant:secret`, client_id: flow.clientId });
  await env.USER_WINDOWS.getByName(user).forgetIdentity();
  expect(await env.USER_WINDOWS.getByName(user).chain()).toBeUndefined();
});
