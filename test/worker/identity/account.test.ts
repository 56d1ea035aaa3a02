import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { runBatch } from "../../../src/database/run-batch.ts";
import { disableUser } from "../../../src/identity/administration.ts";
import { findSession } from "../../../src/identity/sessions.ts";
import { fill, sample } from "../support/catalog.ts";
import { recordsOf } from "../support/caller.ts";
import { Browser, SESSION_COOKIE, signedIn } from "./support/browser.ts";
import { ORIGIN, bearer, form, post, search, send } from "./support/deployed.ts";
import { Issuer, signOn } from "./support/issuer.ts";
import { errorOf, exchange, granted, newFlow, codeFor, refresh, tokensOf } from "./support/oauth-client.ts";
import { keyOf, newKey, newUser } from "./support/people.ts";

beforeAll(() => fill(sample));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const HOUR = 60 * 60_000;
const accountOf = async (browser: Browser) => (await browser.request("/account")).text();
const statusWith = async (token: string) => (await post(search(), bearer(token))).status;

/** Returns the ids that can be revoked on the page, by their button's text. */
const revocable = (html: string, what: "clients" | "keys") =>
  new Map(
    [
      ...html.matchAll(
        new RegExp(
          `action="/account/${what}/revoke"><input type="hidden" name="id" value="([^"]*)"/><button aria-label="Revoke ([^"]*)"`,
          "g",
        ),
      ),
    ].map(([, id = "", name = ""]) => [name, id]),
  );

describe("/account", () => {
  it("asks an anonymous visitor to sign in, and comes back", async () => {
    const response = await send("/account");
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/sign-in?next=%2Faccount");
    const signIn = await new Browser().post("/sign-in", { key: await keyOf(["shopper"]) });
    expect(signIn.headers.get("location")).toBe("/account");
  });

  it("shows the user, the roles, and how they signed in", async () => {
    const user = await newUser(["support", "inventory"], { customer_id: "cust-7" });
    const { id, secret } = await newKey(user);
    const html = await accountOf(await signedIn(secret));
    for (const text of [user, "A Person", "inventory, support", "cust-7", `by ${id}`])
      expect(html).toContain(text);
    expect(html).not.toContain(secret.slice(4, 20));
  });

  it.each([
    ["admin", true],
    ["support", false],
  ])("is a way back to the dashboard for %s: %s", async (role, isOne) => {
    const html = await accountOf(await signedIn(await keyOf([role])));
    expect(html.includes('href="/admin"')).toBe(isOne);
  });

  it("escapes text that others chose", async () => {
    const user = await newUser();
    const evil = `<img src=x onerror=alert(1)>"'`;
    const { secret } = await newKey(user, { label: evil });
    const browser = await signedIn(secret);
    const flow = await newFlow({ metadata: { client_name: evil } });
    await exchange(flow, await codeFor(browser, flow));
    const html = await accountOf(browser);
    expect(html).not.toContain("<img");
    expect(html.match(/&lt;img src=x/g)).toHaveLength(4);
  });

  it("cannot be framed, cached, or made to run scripts", async () => {
    const browser = await signedIn(await keyOf(["shopper"]));
    const { headers } = await browser.request("/account");
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    );
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it.each(["/account/clients/revoke", "/account/keys/revoke"])(
    "%s rejects a form of another site",
    async (path) => {
      const { id, secret } = await newKey(await newUser());
      const browser = await signedIn(secret);
      const cookie = `${SESSION_COOKIE}=${browser.cookies.get(SESSION_COOKIE) ?? ""}`;
      for (const origin of ["https://evil.example", "null", ORIGIN.replace("https", "http")]) {
        expect((await send(path, form({ id }, { origin, cookie }))).status).toBe(403);
      }
      expect(await statusWith(secret)).toBe(200);
    },
  );

  it.each(["/account/clients/revoke", "/account/keys/revoke"])(
    "%s asks an anonymous visitor to sign in",
    async (path) => {
      expect((await new Browser().post(path, { id: "x" })).headers.get("location")).toBe(
        "/sign-in?next=%2Faccount",
      );
    },
  );
});

describe("the user's own keys", () => {
  it("are listed with their times, without those that open nothing", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 10, 24, 8) });
    const user = await newUser(["shopper", "support"]);
    await newKey(user, { label: "narrow", roles: ["shopper"], expires_in_days: 2 });
    await newKey(user, { label: "expired", expires_in_days: 1 });
    const revoked = await newKey(user, { label: "revoked" });
    const { secret } = await newKey(user, { label: "laptop" });
    vi.setSystemTime(Date.UTC(2026, 10, 25, 9));
    const browser = await signedIn(secret);
    await browser.post("/account/keys/revoke", { id: revoked.id });
    const html = await accountOf(browser);
    expect([...revocable(html, "keys").keys()].toSorted()).toEqual(["laptop", "narrow"]);
    const text = html.replaceAll(/<[^>]*>/g, "");
    expect(text).toContain(
      "Only shopperMade 24 Nov 2026, 08:00 UTC, expires 26 Nov 2026, 08:00 UTCNever used",
    );
    expect(text).toContain("Last used 25 Nov 2026, 09:00 UTC");
    expect(text).toContain(", which you signed in with");
  });

  it("are revoked, and everything they opened ends", async () => {
    const user = await newUser();
    const [mine, other] = [await newKey(user), await newKey(user)];
    const browser = await signedIn(mine.secret);
    const others = await signedIn(other.secret);
    expect((await browser.post("/account/keys/revoke", { id: other.id })).headers.get("location")).toBe(
      "/account",
    );
    expect(await statusWith(other.secret)).toBe(401);
    expect((await others.request("/account")).status).toBe(303);
    expect(await statusWith(mine.secret)).toBe(200);
    // The last key can be revoked too; the session ends with it.
    await browser.post("/account/keys/revoke", { id: mine.id });
    expect((await browser.request("/account")).status).toBe(303);
  });

  it("do not include another user's", async () => {
    const victim = await newKey(await newUser());
    const browser = await signedIn(await keyOf(["admin"]));
    for (const id of [victim.id, "", "' OR 1=1 --"]) await browser.post("/account/keys/revoke", { id });
    expect(await statusWith(victim.secret)).toBe(200);
  });

  it("are hidden after signing in with a key of fewer roles, and so are the clients", async () => {
    const user = await newUser(["shopper", "admin"]);
    const whole = await newKey(user, { label: "whole" });
    const narrow = await newKey(user, { roles: ["shopper"] });
    const browser = await signedIn(narrow.secret);
    const html = await accountOf(browser);
    expect(html).not.toContain("whole");
    for (const path of ["/account/keys/revoke", "/account/clients/revoke"]) {
      expect((await browser.post(path, { id: whole.id })).status).toBe(403);
    }
    expect(await statusWith(whole.secret)).toBe(200);
  });
});

describe("the user's own clients", () => {
  it("are listed with their scopes and dates, and revoked at once", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 10, 24, 8) });
    const { browser, flow, tokens } = await granted(
      ["support"],
      ["catalog:read", "support:read", "offline_access"],
    );
    const html = await accountOf(browser);
    const text = html.replaceAll(/<[^>]*>/g, "");
    expect(text).toContain(
      "Test clientcatalog:read, support:readAccess goes to client.exampleConnected 24 Nov 2026, 08:00 UTC" +
        "Last renewed 24 Nov 2026, 08:00 UTC, ends 24 Dec 2026, 08:00 UTC if not used",
    );
    vi.setSystemTime(Date.now() + 3 * HOUR);
    const second = await tokensOf(await refresh(flow, tokens.refresh_token));
    const later = await accountOf(browser);
    expect(later.replaceAll(/<[^>]*>/g, "")).toContain("Last renewed 24 Nov 2026, 11:00 UTC");

    const id = revocable(later, "clients").get("Test client") ?? "";
    expect(id).toMatch(/^[\w-]{16}$/);
    expect((await browser.post("/account/clients/revoke", { id })).status).toBe(303);
    expect(await statusWith(second.access_token)).toBe(401);
    expect(await errorOf(await refresh(flow, second.refresh_token))).toBe("invalid_grant");
    expect(await accountOf(browser)).toContain("No client is connected.");
  });

  it("do not include another user's", async () => {
    const victim = await granted();
    const id = revocable(await accountOf(victim.browser), "clients").get("Test client") ?? "";
    const attacker = await signedIn(await keyOf(["admin"]));
    for (const each of [id, `${victim.user}:${id}`, `../${victim.user}:${id}`, ""]) {
      expect((await attacker.post("/account/clients/revoke", { id: each })).status).toBe(303);
    }
    expect(await statusWith(victim.tokens.access_token)).toBe(200);
  });

  it("are revoked whatever characters their ids have", async () => {
    const { browser, user, tokens } = await granted();
    const [from] = (await env.OAUTH_KV.list({ prefix: `grant:${user}:` })).keys;
    const grant = await env.OAUTH_KV.get<Record<string, unknown>>(from?.name ?? "", "json");
    // Made of the alphabet that the library draws ids from.
    const id = "-_aZ09-_aZ09-_aZ";
    await env.OAUTH_KV.put(`grant:${user}:${id}`, JSON.stringify({ ...grant, id }));
    await browser.post("/account/clients/revoke", { id });
    await browser.post("/account/clients/revoke", { id: String(grant?.["id"]) });
    expect(await accountOf(browser)).toContain("No client is connected.");
    expect(await statusWith(tokens.access_token)).toBe(401);
  });

  it("from earlier versions, which stored no name, are named by their id", async () => {
    const { browser, user } = await granted();
    const { keys } = await env.OAUTH_KV.list({ prefix: `grant:${user}:` });
    const name = keys[0]?.name ?? "";
    const grant = await env.OAUTH_KV.get<Record<string, unknown>>(name, "json");
    await env.OAUTH_KV.put(name, JSON.stringify({ ...grant, metadata: {}, redirectUri: undefined }));
    const html = await accountOf(browser);
    expect([...revocable(html, "clients").keys()]).toEqual([grant?.["clientId"]]);
  });
});

it("the audit of a user has the clients, sessions and keys they allow, end and revoke, and nothing of others", async () => {
  const { user, browser, flow } = await granted();
  const spare = await newKey(user);
  const [client] = revocable(await accountOf(browser), "clients").values();
  const revoke = (what: string, id: string) => browser.post(`/account/${what}/revoke`, { id });
  for (const id of [spare.id, spare.id, (await newKey(await newUser())).id]) await revoke("keys", id);
  for (const id of [client ?? "", "no-such-client"]) await revoke("clients", id);
  const records = await recordsOf(env.USER_WINDOWS.getByName(user));
  const change = (what: string, about: object) =>
    expect.objectContaining({ kind: "change", change: what, by: user, ...about });
  expect(records).toEqual([
    change("signed_in", { key: expect.stringMatching(/^key-/) }),
    change("client_allowed", { client: flow.clientId }),
    change("key_revoked", { key: spare.id }),
    change("client_ended", { client: flow.clientId }),
  ]);
});

describe("a session knows how its user signed in", () => {
  const sessionOf = (browser: Browser) =>
    findSession(env.DB, browser.cookies.get(SESSION_COOKIE) ?? "", Date.now());

  it("by the provider: interactively, and when", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const issuer = new Issuer();
    issuer.listen();
    const browser = new Browser(ORIGIN, issuer.settings);
    const at = Date.now();
    await signOn(browser, issuer, { sub: "who", name: "Ada", groups: ["catalog-admin"] });
    vi.setSystemTime(at + HOUR);
    expect(await sessionOf(browser)).toMatchObject({
      interactive: true,
      signedInAt: at,
      narrowed: false,
      user: { roles: ["admin"] },
    });
    await runBatch(env.DB, disableUser((await sessionOf(browser))?.user.userId ?? "", Date.now()));
    expect(await sessionOf(browser)).toBeUndefined();
  });

  it("by an access key, which a program may hold: not interactively", async () => {
    expect(await sessionOf(await signedIn(await keyOf(["admin"])))).toMatchObject({ interactive: false });
  });
});
