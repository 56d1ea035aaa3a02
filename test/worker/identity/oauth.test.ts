import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { runBatch } from "../../../src/database/run-batch.ts";
import { disableUser, enableUser, revokeKey } from "../../../src/identity/administration.ts";
import { fill, sample } from "../support/catalog.ts";
import { Browser, SESSION_COOKIE, offered, signedIn } from "./support/browser.ts";
import { ORIGIN, bearer, challenge, form, post, search } from "./support/deployed.ts";
import {
  REDIRECT,
  authorizeUrl,
  codeFor,
  decide,
  errorOf,
  exchange,
  granted,
  newFlow,
  openConsent,
  ready,
  refresh,
  target,
  token,
  tokensOf,
} from "./support/oauth-client.ts";
import { newKey, newUser } from "./support/people.ts";

beforeAll(() => fill(sample));
afterEach(() => {
  vi.useRealTimers();
});

const DAY = 24 * 60 * 60_000;

const statusWith = async (accessToken: string) => (await post(search(), bearer(accessToken))).status;

describe("an authorization request", () => {
  it("that is valid opens the consent page", async () => {
    const { browser, flow } = await ready();
    const response = await browser.request(authorizeUrl(flow));
    expect(response.status).toBe(200);
    expect(offered(await response.text())).toEqual(["catalog:read"]);
  });

  it.each([
    { why: "plain PKCE", change: { code_challenge_method: "plain" } },
    {
      why: "PKCE without a method, which means plain",
      change: { code_challenge_method: undefined },
    },
    {
      why: "no PKCE",
      change: { code_challenge: undefined, code_challenge_method: undefined },
    },
    {
      why: "a resource of another server",
      change: { resource: "https://evil.example/mcp" },
    },
    { why: "another resource of this server", change: { resource: `${ORIGIN}/admin` } },
    { why: "the implicit grant", change: { response_type: "token" } },
    { why: "no response type", change: { response_type: undefined } },
  ])("with $why is answered by a page, with or without a session", async ({ change }) => {
    const { browser, flow } = await ready();
    for (const asker of [browser, new Browser()]) {
      const response = await asker.request(authorizeUrl(flow, change));
      expect(response.status).toBe(400);
      expect(response.headers.has("location")).toBe(false);
      expect(response.headers.get("content-type")).toContain("text/html");
    }
  });

  it.each([
    { why: "a redirect to another host", change: { redirect_uri: "https://evil.example/callback" } },
    { why: "another path", change: { redirect_uri: `${REDIRECT}/other` } },
    {
      why: "a host with the same prefix",
      change: { redirect_uri: "https://client.example.evil.example/callback" },
    },
    { why: "the redirect over http", change: { redirect_uri: REDIRECT.replace("https", "http") } },
    { why: "a script", change: { redirect_uri: "javascript:alert(1)" } },
    { why: "no redirect", change: { redirect_uri: undefined } },
    { why: "an unknown client", change: { client_id: "nobody" } },
    { why: "no client", change: { client_id: undefined } },
  ])("with $why is answered here without a redirect", async ({ change }) => {
    const { browser, flow } = await ready();
    const response = await browser.request(authorizeUrl(flow, change));
    expect(response.status).toBe(400);
    expect(response.headers.has("location")).toBe(false);
    expect(await response.text()).not.toContain("evil.example");
  });
});

/** Returns the status of a page's refusal, which must not redirect and must contain no code. */
async function refusedHere(response: Response): Promise<number> {
  expect(response.headers.has("location")).toBe(false);
  expect(await response.text()).not.toContain("code=");
  return response.status;
}

describe("consent", () => {
  it("that is denied says so to the client", async () => {
    const { browser, flow } = await ready();
    const response = await decide(browser, await openConsent(browser, flow), { decision: "deny" });
    const back = target(response);
    expect(back.origin + back.pathname).toBe(REDIRECT);
    expect(Object.fromEntries(back.searchParams)).toEqual({
      error: "access_denied",
      state: "the state",
      iss: ORIGIN,
    });
  });

  it.each(["allow", "deny"])("cannot be replayed after %s", async (decision) => {
    const { browser, flow } = await ready();
    const html = await openConsent(browser, flow);
    // The cookie of the form is cleared, but an attacker has kept it.
    const kept = new Map(browser.cookies);
    expect((await decide(browser, html, { decision })).status).toBe(303);
    for (const [name, value] of kept) browser.cookies.set(name, value);
    expect(await refusedHere(await decide(browser, html))).toBe(400);
    expect(await refusedHere(await decide(browser, html, { decision: "deny" }))).toBe(400);
  });

  it.each(["allow", "deny"])("cannot be given (%s) in another browser", async (decision) => {
    const { browser, flow } = await ready();
    const html = await openConsent(browser, flow);
    const victim = await ready();
    await openConsent(victim.browser, victim.flow);
    expect(await refusedHere(await decide(victim.browser, html, { decision }))).toBe(400);
    // It is still valid in its own browser.
    expect((await decide(browser, html)).status).toBe(303);
  });

  it.each([
    { why: "the session was signed out", end: (browser: Browser) => browser.post("/sign-out", {}) },
    {
      why: "the session's time was over",
      end: async () => {
        vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + DAY });
      },
    },
    {
      why: "the session's cookie was lost",
      end: async (browser: Browser) => {
        browser.cookies.delete(SESSION_COOKIE);
      },
    },
    {
      why: "the user was disabled",
      end: async (_: Browser, user: string) => {
        await runBatch(env.DB, disableUser(user, Date.now()));
      },
    },
  ])("cannot be given after $why", async ({ end }) => {
    const user = await newUser();
    const browser = await signedIn((await newKey(user)).secret);
    const html = await openConsent(browser, await newFlow());
    await end(browser, user);
    expect(await refusedHere(await decide(browser, html))).toBe(401);
  });

  it("is not given without the form's handle, or by JSON", async () => {
    const { browser } = await ready();
    expect(await refusedHere(await decide(browser, ""))).toBe(400);
    const headers = { "content-type": "application/json", origin: ORIGIN };
    expect(
      await refusedHere(await browser.request("/authorize", { method: "POST", headers, body: "{}" })),
    ).toBe(400);
  });

  it("offers and grants no more than the user's roles allow, whatever is ticked", async () => {
    const asked = ["catalog:read", "inventory:write", "support:read", "admin"];
    const { browser, flow } = await ready(["inventory"], asked.join(" "));
    const html = await openConsent(browser, flow);
    expect(offered(html)).toEqual(["catalog:read", "inventory:write"]);
    const response = await decide(browser, html, { scopes: [...asked, "nonsense"] });
    const tokens = await tokensOf(await exchange(flow, target(response).searchParams.get("code") ?? ""));
    expect(tokens.scope).toBe("catalog:read inventory:write");
  });

  it("grants only the ticked scopes", async () => {
    const { browser, flow } = await ready(["admin"], "catalog:read inventory:write");
    const code = await codeFor(browser, flow, ["catalog:read"]);
    expect((await tokensOf(await exchange(flow, code))).scope).toBe("catalog:read");
  });

  it("with nothing ticked is a denial", async () => {
    const { browser, flow } = await ready(["shopper"], "catalog:read admin");
    for (const scopes of [[], ["admin"], ["nonsense"], ["offline_access"]]) {
      const response = await decide(browser, await openConsent(browser, flow), { scopes });
      expect(target(response).searchParams.get("error")).toBe("access_denied");
    }
  });

  it("given with a narrowed key grants no more than that key", async () => {
    const { secret } = await newKey(await newUser(["admin", "shopper"]), { roles: ["shopper"] });
    const browser = await signedIn(secret);
    const flow = await newFlow({ scope: "catalog:read admin" });
    const html = await openConsent(browser, flow);
    expect(offered(html)).toEqual(["catalog:read"]);
    const response = await decide(browser, html, { scopes: ["catalog:read", "admin"] });
    const tokens = await tokensOf(await exchange(flow, target(response).searchParams.get("code") ?? ""));
    expect(tokens.scope).toBe("catalog:read");
  });

  it("shown for one session cannot be given in another session of the same browser", async () => {
    const { browser, flow } = await ready();
    const html = await openConsent(browser, flow);
    const { secret } = await newKey(await newUser(["admin"]));
    await browser.post("/sign-in", { key: secret });
    expect((await decide(browser, html)).status).toBe(400);
  });
});

describe("refreshing a token", () => {
  it("ends with the key that its user signed in with", async () => {
    const user = await newUser(["shopper"]);
    const { id, secret } = await newKey(user);
    const browser = await signedIn(secret);
    const flow = await newFlow({ scope: "catalog:read offline_access" });
    const code = await codeFor(browser, flow, ["catalog:read"]);
    const tokens = await tokensOf(await exchange(flow, code));
    await runBatch(env.DB, revokeKey(id, Date.now()));
    const response = await refresh(flow, tokens.refresh_token ?? "");
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toBe("invalid_grant");
  });
});

describe("an authorization code", () => {
  it("is accepted for a token bound to this resource", async () => {
    const { tokens } = await granted();
    expect(tokens).toMatchObject({ scope: "catalog:read", expires_in: 3600, resource: `${ORIGIN}/mcp` });
    expect(await statusWith(tokens.access_token)).toBe(200);
  });

  it("that is replayed is refused, and its tokens are revoked", async () => {
    const { flow, code, tokens } = await granted();
    const response = await exchange(flow, code);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toBe("invalid_grant");
    expect(await statusWith(tokens.access_token)).toBe(401);
    expect(await errorOf(await refresh(flow, tokens.refresh_token))).toBe("invalid_grant");
  });

  it.each([
    { why: "another verifier", change: { code_verifier: "v".repeat(43) }, error: "invalid_grant" },
    { why: "no verifier", change: { code_verifier: "" }, error: "invalid_request" },
    {
      why: "another redirect",
      change: { redirect_uri: "https://evil.example/callback" },
      error: "invalid_grant",
    },
    { why: "another resource", change: { resource: "https://evil.example/mcp" }, error: "invalid_target" },
    { why: "an unknown client", change: { client_id: "nobody" }, error: "invalid_client" },
    { why: "an invented code", change: { code: "a:b:c" }, error: "invalid_grant" },
    { why: "another grant type", change: { grant_type: "password" }, error: "unsupported_grant_type" },
  ])("with $why is refused as $error", async ({ change, error }) => {
    const { browser, flow } = await ready();
    const code = await codeFor(browser, flow);
    expect(await errorOf(await exchange(flow, code, change))).toBe(error);
  });

  it("of another client is refused", async () => {
    const { browser, flow } = await ready();
    const code = await codeFor(browser, flow);
    const { clientId } = await newFlow();
    expect(await errorOf(await exchange(flow, code, { client_id: clientId }))).toBe("invalid_grant");
  });
});

const problemSchema = z.object({ error: z.string(), error_description: z.string() });

describe("an access token", () => {
  it("for another resource is refused here", async () => {
    const elsewhere = await granted(["shopper"], ["catalog:read"], "https://other.someone.workers.dev");
    expect(elsewhere.tokens.resource).toBe("https://other.someone.workers.dev/mcp");
    const headers = bearer(elsewhere.tokens.access_token);
    const there = await post(search(), headers, { url: "https://other.someone.workers.dev/mcp" });
    expect(there.status).toBe(200);
    const here = await post(search(), headers);
    expect(here.status).toBe(401);
    expect(challenge(here)["error"]).toBe("invalid_token");
  });

  it("is read from no URL and no body", async () => {
    const { tokens } = await granted();
    const url = `${ORIGIN}/mcp?access_token=${tokens.access_token}`;
    expect((await post(search(), {}, { url })).status).toBe(401);
    expect((await post({ ...search(), access_token: tokens.access_token })).status).toBe(401);
    expect(await statusWith(tokens.access_token)).toBe(200);
  });

  it("of a disabled user is refused at once, and accepted again when the user is enabled", async () => {
    const { user, tokens } = await granted();
    expect(await statusWith(tokens.access_token)).toBe(200);
    await runBatch(env.DB, disableUser(user, Date.now()));
    const response = await post(search(), bearer(tokens.access_token));
    expect(response.status).toBe(401);
    expect(challenge(response)["error"]).toBe("invalid_token");
    const problem = problemSchema.parse(await response.json());
    expect(problem.error).toBe("invalid_token");
    expect(problem.error_description).toMatch(/^user_disabled:/);
    await runBatch(env.DB, enableUser(user));
    expect(await statusWith(tokens.access_token)).toBe(200);
  });

  it("is over when the key that its user signed in with is revoked", async () => {
    const { id, secret } = await newKey(await newUser());
    const browser = await signedIn(secret);
    const flow = await newFlow();
    const tokens = await tokensOf(await exchange(flow, await codeFor(browser, flow)));
    expect(await statusWith(tokens.access_token)).toBe(200);
    await runBatch(env.DB, revokeKey(id, Date.now()));
    const response = await post(search(), bearer(tokens.access_token));
    expect(response.status).toBe(401);
    expect(problemSchema.parse(await response.json()).error_description).toMatch(/^key_revoked:/);
  });

  it("ends after an hour", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { tokens } = await granted();
    vi.setSystemTime(Date.now() + 3_599_000);
    expect(await statusWith(tokens.access_token)).toBe(200);
    vi.setSystemTime(Date.now() + 2_000);
    expect(await statusWith(tokens.access_token)).toBe(401);
  });

  it("is not a refresh token, nor the other way round", async () => {
    const { flow, tokens } = await granted();
    expect(await statusWith(tokens.refresh_token)).toBe(401);
    expect(await errorOf(await refresh(flow, tokens.access_token))).toBe("invalid_grant");
  });

  it("opens no admin API, whatever its scopes", async () => {
    const { browser, tokens } = await granted(["admin"], ["catalog:read", "admin"]);
    const response = await browser.request("/admin/api/users", { headers: bearer(tokens.access_token) });
    expect(response.status).toBe(401);
  });
});

describe("refresh", () => {
  it("works beyond thirty days if it is used every few days", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { flow, tokens } = await granted();
    let refreshToken = tokens.refresh_token;
    for (let day = 0; day < 120; day += 8) {
      vi.setSystemTime(Date.now() + 8 * DAY);
      const next = await tokensOf(await refresh(flow, refreshToken));
      expect(await statusWith(next.access_token)).toBe(200);
      refreshToken = next.refresh_token;
    }
  });

  it.each([
    { days: 29, works: true },
    { days: 31, works: false },
  ])("after $days days unused works: $works", async ({ days, works }) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { flow, tokens } = await granted();
    vi.setSystemTime(Date.now() + days * DAY);
    const response = await refresh(flow, tokens.refresh_token);
    expect(response.ok).toBe(works);
    if (!works) expect(await errorOf(response)).toBe("invalid_grant");
  });

  it("rotates: the token before the last is refused", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { flow, tokens } = await granted();
    const second = await tokensOf(await refresh(flow, tokens.refresh_token));
    vi.setSystemTime(Date.now() + 31_000);
    await tokensOf(await refresh(flow, second.refresh_token));
    expect(await errorOf(await refresh(flow, tokens.refresh_token))).toBe("invalid_grant");
  });

  it("of another client is refused", async () => {
    const { tokens } = await granted();
    expect(await errorOf(await refresh(await newFlow(), tokens.refresh_token))).toBe("invalid_grant");
  });

  it("can narrow scopes but not widen them", async () => {
    const { flow, tokens } = await granted(["inventory"], ["catalog:read", "inventory:write"]);
    const fields = { grant_type: "refresh_token", client_id: flow.clientId };
    const narrowed = await tokensOf(
      await token({ ...fields, refresh_token: tokens.refresh_token, scope: "catalog:read" }),
    );
    expect(narrowed.scope).toBe("catalog:read");
    const widened = await token({
      ...fields,
      refresh_token: narrowed.refresh_token,
      scope: "catalog:read admin",
    });
    const text = await widened.text();
    expect(text).not.toMatch(/"scope":"[^"]*admin/);
  });
});

describe("revocation", () => {
  it("of an access token ends it, and keeps the grant", async () => {
    const { flow, tokens } = await granted();
    const response = await token({ client_id: flow.clientId, token: tokens.access_token });
    expect(response.status).toBe(200);
    expect(await statusWith(tokens.access_token)).toBe(401);
    expect((await refresh(flow, tokens.refresh_token)).status).toBe(200);
  });

  it("of a refresh token ends the grant with all its tokens", async () => {
    const { flow, tokens } = await granted();
    await token({ client_id: flow.clientId, token: tokens.refresh_token });
    expect(await statusWith(tokens.access_token)).toBe(401);
    expect(await errorOf(await refresh(flow, tokens.refresh_token))).toBe("invalid_grant");
  });

  it("by another client ends nothing", async () => {
    const { tokens } = await granted();
    const { clientId } = await newFlow();
    await token({ client_id: clientId, token: tokens.refresh_token });
    expect(await statusWith(tokens.access_token)).toBe(200);
  });

  it("of the old grant comes with signing in again from the same client", async () => {
    const { browser, flow, tokens } = await granted();
    const again = await tokensOf(await exchange(flow, await codeFor(browser, flow)));
    expect(await statusWith(again.access_token)).toBe(200);
    expect(await statusWith(tokens.access_token)).toBe(401);
  });
});

describe("registration", () => {
  it.each([
    { why: "a javascript: redirect", metadata: { redirect_uris: ["javascript:alert(1)"] } },
    {
      why: "an http redirect to another host",
      metadata: { redirect_uris: ["http://client.example/callback"] },
    },
    { why: "no redirect", metadata: { redirect_uris: [] } },
    { why: "a redirect with a fragment", metadata: { redirect_uris: [`${REDIRECT}#x`] } },
  ])("with $why is refused", async ({ metadata }) => {
    const response = await new Browser().request("/oauth/register", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ client_name: "Test client", token_endpoint_auth_method: "none", ...metadata }),
    });
    expect(response.status).toBe(400);
    expect(["invalid_redirect_uri", "invalid_client_metadata"]).toContain(await errorOf(response));
  });

  it("requires JSON", async () => {
    const response = await new Browser().request("/oauth/register", form({ client_name: "x" }));
    expect(response.status).toBe(400);
  });
});
