import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { runBatch } from "../../../src/database/run-batch.ts";
import { disableUser } from "../../../src/identity/administration.ts";
import { signOnPolicy } from "../../../src/identity/sign-on-policy.ts";
import { userIdOf } from "../../../src/identity/sign-on/person.ts";
import { recordsOf } from "../support/caller.ts";
import { Browser, SESSION_COOKIE } from "./support/browser.ts";
import { ORIGIN, form, send } from "./support/deployed.ts";
import { type Claims, Issuer, goesOnTo, press, signOn } from "./support/issuer.ts";
import { target } from "./support/oauth-client.ts";
import { keyOf } from "./support/people.ts";

let issuer: Issuer;
let people = 0;
/** A person in a group that the policy maps. */
const newPerson = (changes: Claims = {}): { sub: string } & Claims => {
  people += 1;
  return { sub: `sub-${people}`, name: "Ada Lovelace", groups: ["catalog-support"], ...changes };
};
const newBrowser = () => new Browser(ORIGIN, issuer.settings);

beforeAll(() => ensureMigrated(env.DB));
beforeEach(() => {
  issuer = new Issuer();
  issuer.listen();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const userRow = z.object({
  name: z.string(),
  kind: z.string(),
  customer_id: z.string().nullable(),
  roles: z.string().nullable(),
});

/** Returns the user that belongs to a subject. */
async function userOf(subject: string) {
  const row = await env.DB.prepare(
    `SELECT name, kind, customer_id, (SELECT group_concat(role, ' ' ORDER BY role) FROM user_roles WHERE user_id = id) AS roles
     FROM users WHERE id = (SELECT user_id FROM external_identities WHERE issuer = ? AND subject = ?)`,
  )
    .bind(issuer.url, subject)
    .first();
  return row === null ? undefined : userRow.parse(row);
}

/** Returns the status of a page on which a sign-on ended, and checks that nobody was signed in. */
async function refusedWith(browser: Browser, response: Response): Promise<number> {
  expect(response.headers.has("location")).toBe(false);
  expect(browser.cookies.has(SESSION_COOKIE)).toBe(false);
  expect((await browser.request("/account")).status).toBe(303);
  return response.status;
}

describe("signing on", () => {
  it("sends the person to the provider with PKCE, state and nonce, from a page", async () => {
    const browser = newBrowser();
    const response = await press(browser);
    expect(response.status).toBe(200);
    const url = goesOnTo(await response.text());
    expect(url.origin + url.pathname).toBe(`${issuer.url}/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: "product-catalog",
      response_type: "code",
      redirect_uri: `${ORIGIN}/sign-on/callback`,
      scope: "openid profile",
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
    const [cookie = "", ...others] = response.headers.getSetCookie();
    expect(others).toEqual([]);
    expect(cookie).toMatch(
      /^__Host-sign-on-[\w-]{8}=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    // The URL reveals none of the values that the server will compare.
    for (const name of ["state", "nonce", "code_challenge"])
      expect(cookie).not.toContain(`=${url.searchParams.get(name) ?? ""}`);
  });

  it("makes the user at the first sign-in, with the roles of their groups, and signs them in", async () => {
    const browser = newBrowser();
    const { sub, ...person } = newPerson({ groups: ["catalog-support", "else", "catalog-inventory", 7] });
    const response = await signOn(browser, issuer, { sub, ...person });
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/account");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(browser.cookies.has(SESSION_COOKIE)).toBe(true);
    expect([...browser.cookies.keys()].filter((name) => name.includes("sign-on"))).toEqual([]);
    expect(await userOf(sub)).toEqual({
      name: "Ada Lovelace",
      kind: "user",
      customer_id: null,
      roles: "inventory support",
    });
    const page = await (await browser.request("/account")).text();
    expect(page).toContain(`by ${issuer.host}`);
  });

  it("recognises them by issuer and subject, even after name and address change", async () => {
    const { sub } = newPerson();
    await signOn(newBrowser(), issuer, newPerson({ sub, email: "ada@example.com" }));
    await signOn(newBrowser(), issuer, newPerson({ sub, name: "Ada King", email: "king@example.com" }));
    const other = newPerson({ email: "ada@example.com", groups: ["catalog-admin"] });
    await signOn(newBrowser(), issuer, other);
    expect(await userOf(sub)).toMatchObject({ name: "Ada King", roles: "support" });
    expect(await userOf(other.sub)).toMatchObject({ roles: "admin" });
  });

  it("reads the roles again at every sign-in", async () => {
    const { sub } = newPerson();
    for (const [groups, roles] of [
      [["catalog-admin"], "admin"],
      [["catalog-support"], "support"],
      ["catalog-inventory", "inventory"],
    ] as const) {
      await signOn(newBrowser(), issuer, newPerson({ sub, groups }));
      expect(await userOf(sub)).toMatchObject({ roles });
    }
  });

  it("takes only claims from userinfo that the id token lacks", async () => {
    const { sub } = newPerson();
    issuer.behaviour = {
      metadata: { userinfo_endpoint: `${issuer.url}/userinfo` },
      userinfo: { sub, name: "Of userinfo", groups: ["catalog-admin"] },
    };
    await signOn(newBrowser(), issuer, { sub, groups: ["catalog-support"] });
    expect(await userOf(sub)).toMatchObject({ name: "Of userinfo", roles: "support" });
  });

  it("refuses another person's userinfo", async () => {
    const browser = newBrowser();
    issuer.behaviour = {
      metadata: { userinfo_endpoint: `${issuer.url}/userinfo` },
      userinfo: { sub: "somebody else" },
    };
    expect(await refusedWith(browser, await signOn(browser, issuer, newPerson()))).toBe(400);
  });

  it("continues to the page where it began, and nowhere else", async () => {
    const next = "/authorize?client_id=x&state=a%20b";
    expect((await signOn(newBrowser(), issuer, newPerson(), next)).headers.get("location")).toBe(next);
    for (const evil of ["//evil.example", "https://evil.example/", "/.//evil.example", "/\\evil.example"]) {
      const browser = newBrowser();
      const url = goesOnTo(await (await browser.post("/sign-on/start", { next: evil })).text());
      const response = await browser.request(issuer.signIn(url, newPerson()).href);
      expect(response.status).toBe(303);
      expect(target(response).origin).toBe(ORIGIN);
    }
  });

  it("signs out the previous user", async () => {
    const browser = newBrowser();
    await browser.post("/sign-in", { key: await keyOf(["shopper"]) });
    const before = browser.cookies.get(SESSION_COOKIE) ?? "";
    await signOn(browser, issuer, newPerson());
    const copy = newBrowser();
    copy.cookies.set(SESSION_COOKIE, before);
    expect((await copy.request("/account")).status).toBe(303);
  });

  it("works in two tabs at once", async () => {
    const browser = newBrowser();
    const tabs = [];
    for (const next of ["/one", "/two"]) tabs.push(goesOnTo(await (await press(browser, next)).text()));
    for (const [index, url] of tabs.entries()) {
      const response = await browser.request(issuer.signIn(url, newPerson()).href);
      expect(response.headers.get("location")).toBe(["/one", "/two"][index]);
    }
  });

  it("can only be started by a form of this server", async () => {
    for (const origin of ["https://evil.example", "null"]) {
      const response = await send("/sign-on/start", form({ next: "/" }, { origin }), issuer.settings);
      expect(response.status).toBe(403);
    }
    expect((await send("/sign-on/start", {}, issuer.settings)).status).toBe(404);
    expect(issuer.asked).toEqual([]);
  });

  it("reveals the secret to nobody, not even in the log", async () => {
    const logged: unknown[] = [];
    for (const level of ["log", "info", "warn", "error"] as const)
      vi.spyOn(console, level).mockImplementation((...args) => logged.push(args));
    const browser = newBrowser();
    const begun = await press(browser);
    const page = await begun.clone().text();
    issuer.behaviour = {
      fail: (path) => (path === "/token" ? new Response("x", { status: 500 }) : undefined),
    };
    const failed = await browser.request(issuer.signIn(goesOnTo(page), newPerson()).href);
    expect(failed.status).toBe(503);
    const all = JSON.stringify([logged, page, await failed.text(), [...begun.headers], [...failed.headers]]);
    expect(all).toContain("sign_on_problem");
    expect(all).not.toContain("PLANTED");
  });
});

describe("an id token is refused", () => {
  const now = () => Math.floor(Date.now() / 1000);
  const cases: { why: string; make: () => Partial<Issuer["behaviour"]> }[] = [
    { why: "of another issuer", make: () => ({ claims: { iss: "https://evil.example" } }) },
    { why: "for another client", make: () => ({ claims: { aud: "another-client" } }) },
    { why: "for another client too", make: () => ({ claims: { aud: ["product-catalog", "x"], azp: "x" } }) },
    { why: "that has expired", make: () => ({ claims: { exp: now() - 60, iat: now() - 360 } }) },
    { why: "that is not valid yet", make: () => ({ claims: { nbf: now() + 120 } }) },
    { why: "with another nonce", make: () => ({ claims: { nonce: "another" } }) },
    { why: "without a nonce", make: () => ({ claims: { nonce: undefined } }) },
    { why: "without a subject", make: () => ({ claims: { sub: undefined } }) },
    { why: "signed with another key", make: () => ({ forged: true }) },
    { why: "without a signature", make: () => ({ header: { alg: "none" } }) },
    { why: "signed with the client's secret", make: () => ({ header: { alg: "HS256" } }) },
    { why: "signed with an unpublished key", make: () => ({ header: { kid: "k2" } }) },
  ];

  it.each(cases)("$why", async ({ make }) => {
    const browser = newBrowser();
    const person = newPerson();
    issuer.behaviour = make();
    expect(await refusedWith(browser, await signOn(browser, issuer, person))).toBe(400);
    expect(await userOf(person.sub)).toBeUndefined();
    // Only the answer was wrong: the next one is accepted.
    issuer.behaviour = {};
    expect((await signOn(browser, issuer, person)).status).toBe(303);
  });
});

describe("a way back is refused", () => {
  /** Returns a browser that is away at the provider, and the way back. */
  async function away() {
    const browser = newBrowser();
    const url = goesOnTo(await (await press(browser)).text());
    return { browser, url, back: issuer.signIn(url, newPerson()) };
  }

  it("in another browser, and stays valid in its own", async () => {
    const { browser, back } = await away();
    const victim = await away();
    expect(await refusedWith(victim.browser, await victim.browser.request(back.href))).toBe(400);
    expect((await browser.request(back.href)).status).toBe(303);
  });

  it("with another browser's state and one's own code", async () => {
    const { browser, back } = await away();
    const other = await away();
    back.searchParams.set("state", other.url.searchParams.get("state") ?? "");
    expect(await refusedWith(browser, await browser.request(back.href))).toBe(400);
  });

  it("with a state that only starts the same", async () => {
    const { browser, back } = await away();
    back.searchParams.set("state", `${(back.searchParams.get("state") ?? "").slice(0, 8)}${"A".repeat(35)}`);
    expect(await refusedWith(browser, await browser.request(back.href))).toBe(400);
  });

  it.each(["", "x", "a/b;c=d,e", "é".repeat(43)])("with the state %j", async (state) => {
    const { browser, back } = await away();
    back.searchParams.set("state", state);
    expect(await refusedWith(browser, await browser.request(back.href))).toBe(400);
  });

  it("without a state", async () => {
    const { browser, back } = await away();
    back.searchParams.delete("state");
    expect(await refusedWith(browser, await browser.request(back.href))).toBe(400);
  });

  it("a second time", async () => {
    const { browser, back } = await away();
    const kept = new Map(browser.cookies);
    expect((await browser.request(back.href)).status).toBe(303);
    await browser.post("/sign-out", {});
    for (const [name, value] of kept) browser.cookies.set(name, value);
    expect(await refusedWith(browser, await browser.request(back.href))).toBe(400);
  });

  it("for all but one of ten at once", async () => {
    const { browser, back } = await away();
    const kept = [...browser.cookies];
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => {
        const copy = newBrowser();
        for (const [name, value] of kept) copy.cookies.set(name, value);
        return copy.request(back.href);
      }),
    );
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(9);
  });

  it("with a code that was used before", async () => {
    const first = await away();
    await first.browser.request(first.back.href);
    const second = await away();
    second.back.searchParams.set("code", first.back.searchParams.get("code") ?? "");
    expect(await refusedWith(second.browser, await second.browser.request(second.back.href))).toBe(400);
  });

  it("with a code that was issued to another browser", async () => {
    const [one, other] = [await away(), await away()];
    one.back.searchParams.set("code", other.back.searchParams.get("code") ?? "");
    expect(await refusedWith(one.browser, await one.browser.request(one.back.href))).toBe(400);
  });

  it.each([
    { why: "another issuer", iss: "https://evil.example" },
    { why: "no issuer although the provider sends one", iss: undefined },
  ])("with $why (mix-up, RFC 9207)", async ({ iss }) => {
    const { browser, back } = await away();
    const before = issuer.asked.filter((path) => path === "/token").length;
    if (iss === undefined) back.searchParams.delete("iss");
    else back.searchParams.set("iss", iss);
    expect(await refusedWith(browser, await browser.request(back.href))).toBe(400);
    // The code was not sent to the token endpoint.
    expect(issuer.asked.filter((path) => path === "/token").length).toBe(before);
  });

  it("after ten minutes", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { browser, back } = await away();
    vi.setSystemTime(Date.now() + 10 * 60_000);
    expect(await refusedWith(browser, await browser.request(back.href))).toBe(400);
  });

  it("with the provider's refusal", async () => {
    const { browser, url } = await away();
    const response = await browser.request(issuer.refuse(url, "access_denied").href);
    expect(await response.clone().text()).toContain(`declined at ${issuer.host}`);
    expect(await refusedWith(browser, response)).toBe(400);
  });
});

it("a client secret that the provider rejects signs nobody in", async () => {
  const browser = new Browser(ORIGIN, { ...issuer.settings, OIDC_CLIENT_SECRET: "another" });
  expect(await refusedWith(browser, await signOn(browser, issuer, newPerson()))).toBe(400);
});

it("a multi-tenant provider signs nobody in", async () => {
  const tenant = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
  const common = new Issuer("https://login.microsoftonline.com/common/v2.0");
  common.listen();
  // Entra ID answers like this, and openid-client has an exception for it.
  common.behaviour = {
    metadata: {
      issuer: "https://login.microsoftonline.com/{tenantid}/v2.0",
      authorization_response_iss_parameter_supported: false,
    },
    claims: { iss: tenant, tid: "11111111-2222-3333-4444-555555555555" },
  };
  const browser = new Browser(ORIGIN, common.settings);
  const url = goesOnTo(await (await press(browser)).text());
  const back = common.signIn(url, newPerson());
  back.searchParams.delete("iss");
  expect(await refusedWith(browser, await browser.request(back.href))).toBe(400);
  expect(common.asked).toContain("/token");
});

describe("a discovery document is refused", () => {
  it("if it names another issuer", async () => {
    issuer.behaviour = { metadata: { issuer: "https://evil.example" } };
    const browser = newBrowser();
    const response = await press(browser);
    expect(await response.clone().text()).not.toContain("evil.example");
    expect(await refusedWith(browser, response)).toBe(503);
  });
});

describe("the provider is down", () => {
  const failures: [string, () => Response][] = [
    ["answers 500", () => new Response("oops", { status: 500 })],
    [
      "answers a page",
      () => new Response("<p>Maintenance</p>", { headers: { "content-type": "text/html" } }),
    ],
    [
      "is not there",
      () => {
        throw new TypeError("fetch failed");
      },
    ],
    [
      "is out of reach",
      () => {
        throw new Error("Network connection lost.");
      },
    ],
    [
      "is too slow",
      () => {
        throw new DOMException("The operation timed out", "TimeoutError");
      },
    ],
  ];

  it.each(failures)("before the sign-in it %s: 503, keys work, and so does a retry", async (_, fail) => {
    const browser = newBrowser();
    issuer.behaviour = { fail };
    const response = await press(browser, "/account?x=1");
    const page = await response.clone().text();
    expect(page).toContain(`${issuer.host} does not answer`);
    expect(page).toContain('name="next" value="/account?x=1"');
    expect(await refusedWith(browser, response)).toBe(503);

    expect((await newBrowser().post("/sign-in", { key: await keyOf(["shopper"]) })).status).toBe(303);
    issuer.behaviour = {};
    expect((await signOn(browser, issuer, newPerson())).status).toBe(303);
  });

  it.each(failures)("after the sign-in it %s: 503, and a retry works", async (_, fail) => {
    const browser = newBrowser();
    const url = goesOnTo(await (await press(browser)).text());
    issuer.behaviour = { fail };
    const response = await browser.request(issuer.signIn(url, newPerson()).href);
    expect(await response.clone().text()).toContain('<a href="/sign-in?next=%2Faccount">Try again</a>');
    expect(await refusedWith(browser, response)).toBe(503);
    issuer.behaviour = {};
    expect((await signOn(browser, issuer, newPerson())).status).toBe(303);
  });

  it.each(["server_error", "temporarily_unavailable"])(
    "with the error %s it signs nobody in",
    async (error) => {
      const browser = newBrowser();
      const url = goesOnTo(await (await press(browser)).text());
      expect(await refusedWith(browser, await browser.request(issuer.refuse(url, error).href))).toBe(503);
    },
  );

  it("its document is read once in ten minutes", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const readings = () => issuer.asked.filter((path) => path.includes("well-known")).length;
    await press(newBrowser());
    await press(newBrowser());
    expect(readings()).toBe(1);
    vi.setSystemTime(Date.now() + 10 * 60_000);
    await press(newBrowser());
    expect(readings()).toBe(2);
  });
});

describe("people whom the policy or an admin turns away", () => {
  it("without a role: 403 with whom to ask, and no user is made", async () => {
    const browser = newBrowser();
    const person = newPerson({ groups: ["of another app"] });
    const response = await signOn(browser, issuer, person);
    expect(await response.clone().text()).toContain(
      "Ada Lovelace has no role here yet. Ask whoever runs this server for one.",
    );
    expect(await refusedWith(browser, response)).toBe(403);
    expect(await userOf(person.sub)).toBeUndefined();
  });

  it("get the default role if the policy has one", async () => {
    signOnPolicy.default_role = "shopper";
    try {
      const person = newPerson({ groups: undefined });
      expect((await signOn(newBrowser(), issuer, person)).status).toBe(303);
      expect(await userOf(person.sub)).toMatchObject({ roles: "shopper" });
    } finally {
      signOnPolicy.default_role = null;
    }
  });

  it("lose their last role, and the audit says when", async () => {
    const person = newPerson();
    await signOn(newBrowser(), issuer, person);
    await signOn(newBrowser(), issuer, person);
    const browser = newBrowser();
    expect(await refusedWith(browser, await signOn(browser, issuer, { ...person, groups: [] }))).toBe(403);
    expect(await userOf(person.sub)).toMatchObject({ roles: null });
    const id = userIdOf({ issuer: issuer.url, subject: person.sub });
    expect(await recordsOf(env.USER_WINDOWS.getByName(id))).toMatchObject([
      { kind: "change", change: "user_added", roles: ["support"], by: "sign-on" },
      { kind: "change", change: "signed_in", key: null, by: id },
      { kind: "change", change: "signed_in", key: null, by: id },
      { kind: "change", change: "roles_set", roles: [], by: "sign-on" },
    ]);
  });

  it("who are disabled: 403, and their roles stay unchanged", async () => {
    const person = newPerson();
    await signOn(newBrowser(), issuer, person);
    await runBatch(env.DB, disableUser(userIdOf({ issuer: issuer.url, subject: person.sub }), Date.now()));
    const browser = newBrowser();
    const response = await signOn(browser, issuer, { ...person, groups: ["catalog-admin"] });
    expect(await response.clone().text()).toContain("is disabled here");
    expect(await refusedWith(browser, response)).toBe(403);
    expect(await userOf(person.sub)).toMatchObject({ roles: "support" });
  });

  it("who are disabled stay so when their link is deleted", async () => {
    const person = newPerson();
    await signOn(newBrowser(), issuer, person);
    await runBatch(env.DB, disableUser(userIdOf({ issuer: issuer.url, subject: person.sub }), Date.now()));
    await env.DB.prepare("DELETE FROM external_identities WHERE subject = ?").bind(person.sub).run();
    const browser = newBrowser();
    expect(await refusedWith(browser, await signOn(browser, issuer, person))).toBe(403);
  });
});

describe("without the settings", () => {
  it("has no button and no route", async () => {
    expect(await (await send("/sign-in")).text()).not.toContain("/sign-on/start");
    expect((await send("/sign-on/start", form({}, { origin: ORIGIN }))).status).toBe(404);
    expect((await send("/sign-on/callback?code=x&state=y")).status).toBe(404);
  });
});
