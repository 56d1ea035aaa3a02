import { beforeAll, describe, expect, it } from "vitest";
import { adminPages } from "../../../src/web/admin/admin-pages.ts";
import { Browser, signedIn } from "../identity/support/browser.ts";
import { ORIGIN, form } from "../identity/support/deployed.ts";
import { keyOf, newKey, newUser } from "../identity/support/people.ts";

const NOBODY = "no-such-thing";
/** Every route, and an admin's answer for an unknown caller. */
const ROUTES: [method: "GET" | "POST", pattern: string, path: string, status: number][] = [
  ["GET", "/admin", "/admin", 200],
  ["GET", "/admin/incidents", "/admin/incidents", 200],
  ["GET", "/admin/incidents/:id", `/admin/incidents/${NOBODY}`, 404],
  ["POST", "/admin/incidents/:id", `/admin/incidents/${NOBODY}`, 404],
  ["GET", "/admin/callers", "/admin/callers", 200],
  ["GET", "/admin/callers/:id", `/admin/callers/${NOBODY}`, 404],
  ["POST", "/admin/callers/:id/release", `/admin/callers/${NOBODY}/release`, 404],
  ["POST", "/admin/callers/:id/enable", `/admin/callers/${NOBODY}/enable`, 404],
  ["POST", "/admin/callers/:id/vouch", `/admin/callers/${NOBODY}/vouch`, 404],
  ["POST", "/admin/callers/:id/disable", `/admin/callers/${NOBODY}/disable`, 404],
  ["POST", "/admin/callers/:id/delete", `/admin/callers/${NOBODY}/delete`, 404],
  ["GET", "/admin/users", "/admin/users", 200],
  ["POST", "/admin/users", "/admin/users", 409],
  ["GET", "/admin/users/:id", `/admin/users/${NOBODY}`, 404],
  ["POST", "/admin/users/:id/roles", `/admin/users/${NOBODY}/roles`, 404],
  ["POST", "/admin/users/:id/enable", `/admin/users/${NOBODY}/enable`, 404],
  ["POST", "/admin/users/:id/disable", `/admin/users/${NOBODY}/disable`, 404],
  ["POST", "/admin/users/:id/delete", `/admin/users/${NOBODY}/delete`, 404],
  ["POST", "/admin/users/:id/keys", `/admin/users/${NOBODY}/keys`, 404],
  ["POST", "/admin/users/:id/keys/:key/revoke", `/admin/users/${NOBODY}/keys/${NOBODY}/revoke`, 404],
  [
    "POST",
    "/admin/users/:id/signing-keys/:key/revoke",
    `/admin/users/${NOBODY}/signing-keys/${NOBODY}/revoke`,
    404,
  ],
  ["GET", "/admin/catalog/feeds", "/admin/catalog/feeds", 200],
  ["POST", "/admin/catalog/feeds", "/admin/catalog/feeds", 409],
  ["POST", "/admin/catalog/feeds/uploads", "/admin/catalog/feeds/uploads", 400],
  ["POST", "/admin/catalog/feeds/uploads/:id/:n", `/admin/catalog/feeds/uploads/${NOBODY}/0`, 404],
  ["POST", "/admin/catalog/feeds/uploads/:id/:n/end", `/admin/catalog/feeds/uploads/${NOBODY}/1/end`, 404],
  ["GET", "/admin/catalog/feeds/:id", `/admin/catalog/feeds/${NOBODY}`, 404],
  ["POST", "/admin/catalog/feeds/:id/:change", `/admin/catalog/feeds/${NOBODY}/run`, 404],
  ["GET", "/admin/catalog", "/admin/catalog", 200],
  ["GET", "/admin/catalog/imports", "/admin/catalog/imports", 200],
  ["GET", "/admin/catalog/flagged", "/admin/catalog/flagged", 200],
  ["GET", "/admin/catalog/unstocked", "/admin/catalog/unstocked", 200],
  ["GET", "/admin/catalog/categories", "/admin/catalog/categories", 200],
  ["GET", "/admin/stock", "/admin/stock", 200],
  ["POST", "/admin/stock/:id/undo", `/admin/stock/${NOBODY}/undo`, 404],
  ["GET", "/admin/audit", "/admin/audit", 200],
  ["GET", "/admin/audit/:principal", `/admin/audit/${NOBODY}`, 404],
  ["GET", "/admin/audit/:principal/download", `/admin/audit/${NOBODY}/download`, 404],
  ["GET", "/admin/policy", "/admin/policy", 200],
  ["GET", "/admin/*", "/admin/nothing/at/all", 404],
];

let admin: Browser;
/** Browsers of users who are no admins here. A server refuses more sign-ins a minute than there are tests. */
let others: Map<string, Browser>;
beforeAll(async () => {
  admin = await signedIn(await keyOf(["admin"]));
  const { secret } = await newKey(await newUser(["admin", "shopper"]), { roles: ["shopper"] });
  others = new Map([
    ["narrowed", await signedIn(secret)],
    ["shopper", await signedIn(await keyOf(["shopper"]))],
    ["support", await signedIn(await keyOf(["support"]))],
    ["inventory", await signedIn(await keyOf(["inventory"]))],
  ]);
});
const other = (name: string) => others.get(name) ?? new Browser();

const go = (browser: Browser, method: string, path: string, headers: Record<string, string> = {}) =>
  method === "GET"
    ? browser.request(path, { headers })
    : browser.request(path, form({ decision: "closed" }, { origin: ORIGIN, ...headers }));

it("the table names every route", () => {
  const routes = adminPages.routes.filter(({ method }) => method !== "ALL");
  expect(routes.map(({ method, path }) => `${method} ${path}`)).toEqual(
    ROUTES.map(([method, pattern]) => `${method} ${pattern}`),
  );
});

it("API paths answer as an API, also unknown ones", async () => {
  const key = { authorization: `Bearer ${await keyOf(["admin"])}` };
  const path = "/admin/api/nothing";
  expect((await new Browser().request(path)).status).toBe(401);
  const response = await new Browser().request(path, { headers: key });
  expect(response.status).toBe(404);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
});

describe.each(ROUTES)("%s %s", (method, _, path, status) => {
  it("redirects to the sign-in page without a session", async () => {
    const response = await go(new Browser(), method, path);
    expect(response.status).toBe(303);
    const next = method === "GET" ? path : "/admin";
    expect(response.headers.get("location")).toBe(`/sign-in?next=${encodeURIComponent(next)}`);
  });

  it.each([["shopper"], ["support"], ["inventory"]])("refuses the role %s", async (role) => {
    const response = await go(other(role), method, path);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("This is for administrators");
  });

  it("refuses an admin's key that is narrowed to other roles", async () => {
    expect((await go(other("narrowed"), method, path)).status).toBe(403);
  });

  it("refuses an access key in a header", async () => {
    const response = await go(new Browser(), method, path, {
      authorization: `Bearer ${await keyOf(["admin"])}`,
    });
    expect(response.status).toBe(303);
  });

  it("answers an admin, uncached, under a strict policy", async () => {
    const response = await go(admin, method, path);
    expect(response.status).toBe(status);
    expect(response.headers.get("cache-control")).toBe("no-store");
    // A script of the page sends files, and gets JSON.
    if (path.includes("/uploads")) {
      expect(response.headers.get("content-type")).toBe("application/json");
      return;
    }
    expect(response.headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    );
    const html = await response.text();
    expect(html).not.toMatch(/<style|<script(?![^>]*\ssrc=)|\sstyle="|\son[a-z]+="/);
  });

  it("reloads a refreshing page if the session ended", async () => {
    const response = await go(new Browser(), method, path, { "hx-request": "true" });
    expect(response.status).toBe(401);
    expect(response.headers.get("hx-refresh")).toBe("true");
  });
});

describe.each(ROUTES.filter(([method]) => method === "POST"))("%s %s", (_, __, path) => {
  it.each([
    ["another site's page", { origin: "https://evil.example" }],
    ["a page without an origin", { origin: "null" }],
    // Its scripts may call the Worker; its forms may not use an admin's cookie.
    ["another server on this machine", { origin: "http://localhost:3000" }],
    ["an unknown page", {}],
  ])("refuses a form of %s", async (___, headers) => {
    const response = await admin.request(path, form({ decision: "released" }, headers));
    expect(response.status).toBe(403);
  });

  it("refuses content types that forms can't send", async () => {
    const headers = { "content-type": "application/json", origin: "https://evil.example" };
    const response = await admin.request(path, { method: "POST", headers, body: "{}" });
    expect(response.status).toBe(403);
  });
});
