import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { runBatch } from "../../../src/database/run-batch.ts";
import { disableUser, enableUser } from "../../../src/identity/administration.ts";
import { ALL_SCOPES } from "../../../src/identity/scopes.ts";
import { userIdOf } from "../../../src/identity/sign-on/person.ts";
import { fill, sample } from "../support/catalog.ts";
import { Browser, SESSION_COOKIE, offered, ticked } from "./support/browser.ts";
import { ORIGIN, bearer, post, search } from "./support/deployed.ts";
import { type Claims, Issuer, goesOnTo, signOn } from "./support/issuer.ts";
import {
  REDIRECT,
  authorizeUrl,
  decide,
  errorOf,
  exchange,
  newFlow,
  openConsent,
  refresh,
  target,
  tokensOf,
} from "./support/oauth-client.ts";
import { keyOf } from "./support/people.ts";

const DAY = 24 * 60 * 60_000;
const SCOPES = ["catalog:read", "support:read"];

let issuer: Issuer;
let people = 0;
const newPerson = (groups = ["catalog-support"]) => ({ sub: `sub-${(people += 1)}`, name: "Ada", groups });
const newBrowser = () => new Browser(ORIGIN, issuer.settings);

beforeAll(() => fill(sample));
beforeEach(() => {
  issuer = new Issuer();
  issuer.listen();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const problemIn = async (accessToken: string) => {
  const response = await post(search(), bearer(accessToken));
  return response.status === 200
    ? undefined
    : (await response.text()).match(/"error_description":"(\w+)/)?.[1];
};

/** Allows a client in a browser without a session, up to the redirect to the provider. */
async function allow(browser: Browser, flow: Awaited<ReturnType<typeof newFlow>>, scopes = SCOPES) {
  const html = await openConsent(browser, flow);
  const response = await decide(browser, html, { scopes });
  return goesOnTo(await response.text());
}

/** Returns the tokens of a client that a user allowed and then signed in for. */
async function grantedTo(person: Claims, scopes = SCOPES) {
  const browser = newBrowser();
  const flow = await newFlow({ scope: [...scopes, "offline_access"].join(" ") });
  const url = await allow(browser, flow, scopes);
  const back = target(await browser.request(issuer.signIn(url, person).href));
  const code = back.searchParams.get("code") ?? "";
  return { browser, flow, tokens: await tokensOf(await exchange(flow, code)) };
}

describe("consent comes before the redirect", () => {
  it("in a browser without a session", async () => {
    const browser = newBrowser();
    const flow = await newFlow({ scope: "catalog:read support:read admin" });
    const response = await browser.request(authorizeUrl(flow));
    expect(response.status).toBe(200);
    expect(response.headers.has("location")).toBe(false);
    const html = await response.text();
    expect(html).toContain("Let Test client use the product catalog?");
    expect(html).not.toContain("Signed in as");
    expect(html).not.toContain("refresh");
    // Every scope is offered, because the user and their roles are not known yet.
    expect(offered(html)).toEqual(expect.arrayContaining([...ALL_SCOPES]));
    expect(ticked(html)).toEqual(["catalog:read", "support:read", "admin"]);
    expect(issuer.asked).toEqual([]);
  });

  it("allowing leads to the provider, and from there back to the client with a code that works", async () => {
    const { browser, tokens } = await grantedTo(newPerson());
    expect(tokens.scope).toBe("catalog:read support:read offline_access");
    expect(await problemIn(tokens.access_token)).toBeUndefined();
    // The user is signed in now, and is asked again for the next client, by name.
    const html = await openConsent(browser, await newFlow());
    expect(html).toContain("Signed in as");
    expect(html).toContain("Ada");
  });

  it("state and issuer reach the client unchanged", async () => {
    const browser = newBrowser();
    const url = await allow(browser, await newFlow());
    const response = await browser.request(issuer.signIn(url, newPerson()).href);
    expect(response.status).toBe(303);
    const back = target(response);
    expect(back.origin + back.pathname).toBe(REDIRECT);
    expect(back.searchParams.get("state")).toBe("the state");
    expect(back.searchParams.get("iss")).toBe(ORIGIN);
    // Only the session of this sign-on is left in the browser.
    expect([...browser.cookies.keys()]).toEqual([SESSION_COOKIE]);
  });

  it("scopes that the user's roles don't allow are left out", async () => {
    const { tokens } = await grantedTo(newPerson(), ["catalog:read", "support:read", "admin"]);
    expect(tokens.scope).toBe("catalog:read support:read offline_access");
  });

  it("scopes that were not ticked are left out", async () => {
    const browser = newBrowser();
    const flow = await newFlow({ scope: "catalog:read support:read offline_access" });
    const url = await allow(browser, flow, ["catalog:read", "admin"]);
    const back = target(await browser.request(issuer.signIn(url, newPerson()).href));
    const tokens = await tokensOf(await exchange(flow, back.searchParams.get("code") ?? ""));
    expect(tokens.scope).toBe("catalog:read offline_access");
  });

  it.each([
    { how: "to deny", decision: "deny", scopes: SCOPES },
    { how: "to allow nothing", decision: "allow", scopes: [] },
    { how: "to allow a scope that does not exist", decision: "allow", scopes: ["nonsense"] },
  ])("$how tells the client, and sends the provider nothing", async ({ decision, scopes }) => {
    const browser = newBrowser();
    const flow = await newFlow({ scope: SCOPES.join(" ") });
    const html = await openConsent(browser, flow);
    const back = target(await decide(browser, html, { decision, scopes }));
    expect(Object.fromEntries(back.searchParams)).toEqual({
      error: "access_denied",
      state: "the state",
      iss: ORIGIN,
    });
    expect(issuer.asked.filter((path) => !path.includes("well-known"))).toEqual([]);
  });

  it.each([
    { how: "declines at the provider", end: (url: URL) => issuer.refuse(url, "access_denied") },
    {
      how: "has no role for any of it",
      end: (url: URL) => issuer.signIn(url, newPerson(["catalog-support"])),
      scope: "admin",
    },
  ])("a person who $how denies the client", async ({ end, scope = "catalog:read" }) => {
    const browser = newBrowser();
    const url = await allow(browser, await newFlow({ scope }), [scope]);
    const back = target(await browser.request(end(url).href));
    expect(back.searchParams.get("error")).toBe("access_denied");
    expect(back.searchParams.has("code")).toBe(false);
  });

  it.each([
    { who: "without any role", person: () => newPerson([]), status: 403 },
    { who: "whose token is another client's", person: () => ({ ...newPerson(), aud: "x" }), status: 400 },
  ])("a person $who gets a page, and the client nothing", async ({ person, status }) => {
    const browser = newBrowser();
    const flow = await newFlow();
    const response = await browser.request(issuer.signIn(await allow(browser, flow), person()).href);
    expect(response.status).toBe(status);
    expect(response.headers.has("location")).toBe(false);
    const html = await response.text();
    expect(html).not.toContain("code=");
    // The link leads back to the client's request, which asks for consent again.
    expect(html).toContain(`<a href="${authorizeUrl(flow).replaceAll("&", "&amp;")}">Try again</a>`);
  });

  it("cannot be given in another browser", async () => {
    const flow = await newFlow();
    const html = await openConsent(newBrowser(), flow);
    const response = await decide(newBrowser(), html);
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain("http-equiv");
  });

  it("cannot be given twice", async () => {
    const browser = newBrowser();
    const flow = await newFlow();
    const html = await openConsent(browser, flow);
    const kept = new Map(browser.cookies);
    expect((await decide(browser, html)).status).toBe(200);
    for (const [name, value] of kept) browser.cookies.set(name, value);
    expect((await decide(browser, html)).status).toBe(400);
  });

  it("a way back that was begun by consent leads to no client in another browser", async () => {
    const browser = newBrowser();
    const back = issuer.signIn(await allow(browser, await newFlow()), newPerson());
    const other = newBrowser();
    const response = await other.request(back.href);
    expect(response.status).toBe(400);
    expect(other.cookies.has(SESSION_COOKIE)).toBe(false);
    expect(target(await browser.request(back.href)).searchParams.get("code")).toMatch(/./);
  });

  it("a sign-on without consent leads to no client, whatever it goes on to", async () => {
    const flow = await newFlow();
    const browser = newBrowser();
    const response = await signOn(browser, issuer, newPerson(), authorizeUrl(flow));
    expect(response.headers.get("location")).toBe(authorizeUrl(flow));
    const asks = await browser.request(authorizeUrl(flow));
    expect(asks.status).toBe(200);
    expect(await asks.text()).toContain("Let Test client use the product catalog?");
  });

  it("while the provider is down the consent stays unused, and the same form works later", async () => {
    const browser = newBrowser();
    const flow = await newFlow();
    const html = await openConsent(browser, flow);
    issuer.behaviour = { fail: () => new Response(null, { status: 503 }) };
    const down = await decide(browser, html);
    expect(down.status).toBe(503);
    const page = await down.text();
    expect(page).toContain(`${issuer.host} does not answer`);
    issuer.behaviour = {};
    // The page contains a form with everything that was sent.
    const again = await decide(browser, page);
    const back = target(await browser.request(issuer.signIn(goesOnTo(await again.text()), newPerson()).href));
    expect(back.searchParams.get("code")).toMatch(/./);
  });

  it("an access key works as well", async () => {
    const browser = newBrowser();
    const flow = await newFlow();
    const html = await openConsent(browser, flow);
    const [, path = ""] = /<a href="([^"]*)">Use an access key/.exec(html) ?? [];
    expect(path).toBe(`/sign-in?next=${encodeURIComponent(authorizeUrl(flow))}`);
    await browser.post("/sign-in", { key: await keyOf(["shopper"]), next: authorizeUrl(flow) });
    const back = target(await decide(browser, await openConsent(browser, flow)));
    expect(back.searchParams.get("code")).toMatch(/./);
  });
});

describe("access from a sign-on", () => {
  const userOf = ({ sub }: { sub: string }) => userIdOf({ issuer: issuer.url, subject: sub });

  it("ends at the next call, and at the next refresh, when the user is disabled", async () => {
    const person = newPerson();
    const { browser, flow, tokens } = await grantedTo(person);
    await runBatch(env.DB, disableUser(userOf(person), Date.now()));
    expect(await problemIn(tokens.access_token)).toBe("user_disabled");
    expect(await errorOf(await refresh(flow, tokens.refresh_token))).toBe("invalid_grant");
    expect((await browser.request("/account")).status).toBe(303);
  });

  it("ends when the link to the provider is deleted, and a new link does not restore it", async () => {
    const person = newPerson();
    const { browser, tokens } = await grantedTo(person);
    await env.DB.prepare("DELETE FROM external_identities WHERE subject = ?").bind(person.sub).run();
    expect(await problemIn(tokens.access_token)).toBe("sign_in_unknown");
    expect((await browser.request("/account")).status).toBe(303);
    await signOn(newBrowser(), issuer, person);
    expect(await problemIn(tokens.access_token)).toBe("sign_in_unknown");
    expect((await browser.request("/account")).status).toBe(303);
  });

  it("ends thirty days after the last sign-in, however often it is refreshed; another sign-in continues it", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const person = newPerson();
    const { flow, tokens } = await grantedTo(person);
    vi.setSystemTime(Date.now() + 20 * DAY);
    const second = await tokensOf(await refresh(flow, tokens.refresh_token));
    vi.setSystemTime(Date.now() + 10 * DAY);
    expect(await errorOf(await refresh(flow, second.refresh_token))).toBe("invalid_grant");
  });

  it("is extended by every sign-in", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const person = newPerson();
    const { flow, tokens } = await grantedTo(person);
    vi.setSystemTime(Date.now() + 20 * DAY);
    const second = await tokensOf(await refresh(flow, tokens.refresh_token));
    await signOn(newBrowser(), issuer, person);
    vi.setSystemTime(Date.now() + 15 * DAY);
    const third = await tokensOf(await refresh(flow, second.refresh_token));
    expect(await problemIn(third.access_token)).toBeUndefined();
  });

  it("loses the roles that a later sign-in takes away", async () => {
    const person = newPerson();
    const { tokens } = await grantedTo(person);
    await signOn(newBrowser(), issuer, { ...person, groups: [] });
    const response = await post(search(), bearer(tokens.access_token));
    expect(await response.text()).not.toContain("SKU-10001");
  });

  it("is suspended, not ended, if a disabled user is enabled again", async () => {
    const person = newPerson();
    const { tokens } = await grantedTo(person);
    await runBatch(env.DB, [...disableUser(userOf(person), Date.now()), ...enableUser(userOf(person))]);
    expect(await problemIn(tokens.access_token)).toBeUndefined();
  });
});
