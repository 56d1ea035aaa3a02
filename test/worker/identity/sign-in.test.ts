import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { runBatch } from "../../../src/database/run-batch.ts";
import { disableUser, revokeKey } from "../../../src/identity/administration.ts";
import { newAccessKey } from "../../../src/identity/secrets.ts";
import { Browser, SESSION_COOKIE, field, hasSession, signedIn } from "./support/browser.ts";
import { DEPLOYED, ORIGIN, form, send } from "./support/deployed.ts";
import { authorizeUrl, decide, newFlow, openConsent, target } from "./support/oauth-client.ts";
import { keyOf, newKey, newUser } from "./support/people.ts";

afterEach(() => {
  vi.useRealTimers();
});

const HOUR = 60 * 60_000;

describe("signing in", () => {
  it("with a good key sets a cookie that pages and other sites cannot use", async () => {
    const response = await new Browser().post("/sign-in", { key: await keyOf(["shopper"]), next: "/" });
    expect(response.status).toBe(303);
    const [cookie = "", ...others] = response.headers.getSetCookie();
    expect(others).toEqual([]);
    const [pair = "", ...attributes] = cookie.split("; ");
    expect(pair).toMatch(/^__Host-session=[\w-]{43}$/);
    expect(attributes.toSorted()).toEqual(["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
  });

  it.each([
    [ORIGIN, "Ask the operator of this server for one."],
    ["http://127.0.0.1:8787", "<code>npm run dev</code> prints"],
  ])("at %s, says where a key comes from", async (origin, where) => {
    expect(await (await new Browser(origin).request("/sign-in")).text()).toContain(where);
  });

  it("accepts a key pasted with blanks around it", async () => {
    const response = await new Browser().post("/sign-in", { key: ` ${await keyOf(["shopper"])}\n` });
    expect(response.status).toBe(303);
  });

  it("starts a new session every time", async () => {
    const key = await keyOf(["shopper"]);
    const [one, other] = [await signedIn(key), await signedIn(key)];
    expect(one.cookies.get(SESSION_COOKIE)).not.toBe(other.cookies.get(SESSION_COOKIE));
  });

  it.each([
    { why: "an unknown key", keyFrom: async () => newAccessKey().secret },
    { why: "a cut key", keyFrom: async () => (await keyOf(["shopper"])).slice(0, -3) },
    { why: "no key", keyFrom: async () => "" },
    {
      why: "a revoked key",
      keyFrom: async () => {
        const { id, secret } = await newKey(await newUser());
        await runBatch(env.DB, revokeKey(id, Date.now()));
        return secret;
      },
    },
    {
      why: "an expired key",
      keyFrom: async () => {
        const { secret } = await newKey(await newUser(), { expires_in_days: 1 });
        vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 25 * HOUR });
        return secret;
      },
    },
    {
      why: "a disabled user's key",
      keyFrom: async () => {
        const user = await newUser();
        const { secret } = await newKey(user);
        await runBatch(env.DB, disableUser(user, Date.now()));
        return secret;
      },
    },
  ])("with $why: 401, no cookie, and the same page for every reason", async ({ keyFrom }) => {
    const unknown = await new Browser().post("/sign-in", { key: newAccessKey().secret });
    const key = await keyFrom();
    const response = await new Browser().post("/sign-in", { key });
    expect(response.status).toBe(401);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await response.text()).toBe(await unknown.text());
  });

  it.each(["/authorize?client_id=x&state=a%20b", "/", "/admin/users"])("goes on to %s", async (next) => {
    const response = await new Browser().post("/sign-in", { key: await keyOf(["shopper"]), next });
    expect(response.headers.get("location")).toBe(next);
  });

  it.each([
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "/%2e//evil.example",
    "/.\\/evil.example",
    "evil.example",
    "",
  ])("does not redirect to %j", async (next) => {
    const key = await keyOf(["shopper"]);
    const page = await (await send(`/sign-in?next=${encodeURIComponent(next)}`)).text();
    for (const sent of [next, field(page, "next")]) {
      const response = await new Browser().post("/sign-in", { key, next: sent });
      expect(response.status).toBe(303);
      expect(target(response).origin).toBe(ORIGIN);
    }
  });
});

describe("a post from another site is refused:", () => {
  const posts = {
    "/sign-in": { key: newAccessKey().secret },
    "/sign-out": {},
    "/authorize": { decision: "allow" },
  };
  const strangers: Record<string, string>[] = [
    { origin: "https://evil.example" },
    { origin: "https://evil.workers.dev" },
    { origin: ORIGIN.replace("https", "http") },
    { origin: `${ORIGIN}:8443` },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    {},
  ];
  const cases = Object.entries(posts).flatMap(([path, fields]) =>
    strangers.map((headers) => ({ path, fields, headers, who: JSON.stringify(headers) })),
  );

  it.each(cases)("$path with $who", async ({ path, fields, headers }) => {
    const response = await send(path, form(fields, headers));
    expect(response.status).toBe(403);
    expect(response.headers.getSetCookie()).toEqual([]);
  });

  it("even from a site whose scripts may call the server", async () => {
    const settings = { ...DEPLOYED, ALLOWED_ORIGINS: "friend.example" };
    const init = form({ key: await keyOf(["shopper"]) }, { origin: "https://friend.example" });
    expect((await send("/sign-in", init, settings)).status).toBe(403);
  });
});

describe("a session", () => {
  it("ends four hours after it began", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const browser = await signedIn(await keyOf(["shopper"]));
    const url = authorizeUrl(await newFlow());
    vi.setSystemTime(Date.now() + 4 * HOUR - 1);
    expect(await hasSession(browser, url)).toBe(true);
    vi.setSystemTime(Date.now() + 1);
    expect(await hasSession(browser, url)).toBe(false);
  });

  it("is over at the server after sign-out: its copied cookie is worthless", async () => {
    const browser = await signedIn(await keyOf(["shopper"]));
    const url = authorizeUrl(await newFlow());
    const copy = browser.cookies.get(SESSION_COOKIE) ?? "";
    expect(copy).not.toBe("");
    const response = await browser.post("/sign-out", {});
    expect(response.status).toBe(303);
    expect(browser.cookies.has(SESSION_COOKIE)).toBe(false);
    browser.cookies.set(SESSION_COOKIE, copy);
    expect(await hasSession(browser, url)).toBe(false);
  });

  it("of another browser is not ended by a sign-out", async () => {
    const key = await keyOf(["shopper"]);
    const [one, other] = [await signedIn(key), await signedIn(key)];
    await one.post("/sign-out", {});
    expect(await hasSession(other, authorizeUrl(await newFlow()))).toBe(true);
  });

  it("of a disabled user is over", async () => {
    const user = await newUser();
    const browser = await signedIn((await newKey(user)).secret);
    await runBatch(env.DB, disableUser(user, Date.now()));
    expect(await hasSession(browser, authorizeUrl(await newFlow()))).toBe(false);
  });

  it("is over when the key it began with is revoked", async () => {
    const { id, secret } = await newKey(await newUser());
    const browser = await signedIn(secret);
    await runBatch(env.DB, revokeKey(id, Date.now()));
    expect(await hasSession(browser, authorizeUrl(await newFlow()))).toBe(false);
  });

  it("cannot be guessed", async () => {
    const browser = new Browser();
    browser.cookies.set(SESSION_COOKIE, "A".repeat(43));
    expect(await hasSession(browser, authorizeUrl(await newFlow()))).toBe(false);
  });

  it("that is missing: /authorize asks for a key first and comes back", async () => {
    const browser = new Browser();
    const flow = await newFlow();
    const url = authorizeUrl(flow);
    const first = target(await browser.request(url));
    expect(first.pathname).toBe("/sign-in");
    const page = await (await browser.request(first.pathname + first.search)).text();
    const next = field(page, "next");
    expect(next).toBe(url);
    const back = await browser.post("/sign-in", { key: await keyOf(["shopper"]), next });
    expect(back.headers.get("location")).toBe(url);
    const code = target(await decide(browser, await openConsent(browser, flow))).searchParams.get("code");
    expect(code).toMatch(/./);
  });
});

describe("the pages", () => {
  const pages = {
    "sign-in": async () => send("/sign-in"),
    "sign-in refused": async () => new Browser().post("/sign-in", { key: "x" }),
    consent: async () => (await signedIn(await keyOf(["shopper"]))).request(authorizeUrl(await newFlow())),
    "a request that can't go on": async () => send("/authorize?client_id=nobody"),
  };

  it.each(Object.entries(pages))("%s cannot be framed, cached, or made to run scripts", async (_, open) => {
    const response = await open();
    const { headers } = response;
    const policy = new Map(
      (headers.get("content-security-policy") ?? "").split("; ").map((directive) => {
        const [name = "", ...values] = directive.split(" ");
        return [name, values.join(" ")];
      }),
    );
    expect(policy.get("default-src")).toBe("'none'");
    expect(policy.get("frame-ancestors")).toBe("'none'");
    expect(policy.get("base-uri")).toBe("'none'");
    expect(policy.get("form-action")).toMatch(/^'self'( https:\/\/client\.example)?$/);
    expect([...policy.keys()].filter((name) => name.startsWith("script-src"))).toEqual([]);
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await response.text()).not.toMatch(/<script|\son\w+=/i);
  });

  it("consent is bound to the browser by its own cookie", async () => {
    const response = await pages.consent();
    const [cookie = "", ...others] = response.headers.getSetCookie();
    expect(others).toEqual([]);
    expect(cookie).toMatch(
      /^__Host-oauth-consent-\w+=\w+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/,
    );
  });

  it("consent shows who asks, where it goes and for whom, and escapes text that the client chose", async () => {
    const user = await newUser();
    const browser = await signedIn((await newKey(user)).secret);
    const name = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`;
    const html = await openConsent(browser, await newFlow({ metadata: { client_name: name } }));
    expect(html).not.toMatch(/<script|<img/i);
    expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img");
    expect(html).toContain("client.example");
    expect(html).toContain(user);
  });

  it("sign-in escapes where it goes on to", async () => {
    const next = `/"><script>alert(1)</script>`;
    const html = await (await send(`/sign-in?next=${encodeURIComponent(next)}`)).text();
    expect(html).not.toMatch(/<script/i);
    expect(html).toContain("/%22%3E%3Cscript%3E");
  });
});
