import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { app } from "../../src/app.ts";
import { GRACE_MS } from "../../src/deadlines.ts";
import { FRESH_MS } from "../../src/probes/readiness.ts";
import { DEPLOYED, ORIGIN, bearer, form, search } from "./identity/support/deployed.ts";
import { signedIn } from "./identity/support/browser.ts";
import { authorizeUrl, granted, tokensSchema } from "./identity/support/oauth-client.ts";
import { keyOf } from "./identity/support/people.ts";
import { newAddress } from "./support/clients.ts";
import { fill, sample } from "./support/catalog.ts";
import { ADA, fillDesk } from "./support/desk.ts";
import { BINDINGS, type Binding, breaks, lags } from "./support/hanging.ts";
import { modern } from "./support/modern.ts";
import { listen } from "./telemetry/support.ts";

// Every binding that a request may wait for hangs, or throws, in turn; nobody waits longer than the request's
// deadline. The deadline's clock is a fake one, which moves when no request has ended for a while.

/** Longer than the timeout for a caller's object. */
const DEADLINE_MS = 4_000;
/** The clock moves in steps, and a pace of 30 ms comes before the deadline. */
const MARGIN_MS = 1_000;
const TOKEN = "a scrape token of thirty characters";
const SETTINGS = {
  ...DEPLOYED,
  PUBLIC_CATALOG: "on",
  METRICS_TOKEN: TOKEN,
  CALL_DEADLINE_MS: String(DEADLINE_MS),
  OUTBOUND_DEADLINE_MS: String(DEADLINE_MS),
};

const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const rpc = (body: unknown, headers: Record<string, string>): RequestInit => ({
  method: "POST",
  headers: { ...json, ...headers },
  body: JSON.stringify(body),
});
const newer = (method: string, params: Record<string, unknown>, headers: Record<string, string>) => {
  const sent = modern(method, params);
  return rpc(sent.body, { ...headers, ...sent.headers });
};
const read = (customer_id: string) => ({ name: "get_customer", arguments: { customer_id } });

type Route = [what: string, path: string, init: RequestInit | (() => RequestInit)];
let routes: Route[];
const TOKENS = "the tokens of a client";
/** It is good once, so each round exchanges the one that the last successful exchange answered. */
let refreshToken: string;
const REFUSED = /"code":"(?:timeout|unavailable)"/;

beforeAll(async () => {
  await fill(sample);
  await fillDesk();
  const shopper = bearer(await keyOf(["shopper"]));
  const agent = bearer(await keyOf(["support"]));
  const admin = await keyOf(["admin"]);
  const grant = await granted();
  refreshToken = grant.tokens.refresh_token;
  const browser = await signedIn(admin);
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const person = { accept: "text/html", cookie };
  const { pathname, search: query } = new URL(authorizeUrl(grant.flow), ORIGIN);
  const registration = { redirect_uris: ["https://client.example/cb"], token_endpoint_auth_method: "none" };
  routes = [
    ["a keyed call of the 2025 revisions", "/mcp", rpc(search(), shopper)],
    [
      "a keyed call of 2026-07-28",
      "/mcp",
      newer("tools/call", { name: "search_products", arguments: { query: "lamp" } }, shopper),
    ],
    ["a call with an OAuth token", "/mcp", rpc(search(), bearer(grant.tokens.access_token))],
    ["a call without a token", "/mcp/public", rpc(search(), {})],
    ["a batch", "/mcp", rpc([search(1), search(2)], shopper)],
    ["a call for personal data", "/mcp", newer("tools/call", read(ADA), agent)],
    ["a resource", "/mcp", newer("resources/read", { uri: "catalog://categories" }, shopper)],
    [
      TOKENS,
      "/oauth/token",
      () =>
        form({
          grant_type: "refresh_token",
          client_id: grant.flow.clientId,
          refresh_token: refreshToken,
        }),
    ],
    [
      "a registration",
      "/oauth/register",
      { method: "POST", headers: json, body: JSON.stringify(registration) },
    ],
    ["the metadata of the server", "/.well-known/oauth-authorization-server", {}],
    ["the metadata of the resource", "/.well-known/oauth-protected-resource/mcp", {}],
    ["the consent page", pathname + query, { headers: person }],
    ["the sign-in page", "/sign-in", { headers: { accept: "text/html" } }],
    ["a sign-in", "/sign-in", form({ key: admin }, { origin: ORIGIN, accept: "text/html" })],
    ["the account", "/account", { headers: person }],
    ["the dashboard", "/admin", { headers: person }],
    ["a page of a caller", "/admin/callers/somebody", { headers: person }],
    ["the confirmation page", "/confirm/AAAAAAAAAAAAAAAAAAAAAA", { headers: person }],
    ["the admin API", "/admin/api/users", { headers: bearer(admin) }],
    [
      "a change by the admin API",
      "/admin/api/users",
      { ...rpc({ id: "new", name: "New", roles: ["shopper"] }, bearer(admin)) },
    ],
    ["the metrics", "/metrics", { headers: bearer(TOKEN) }],
    ["the readiness probe", "/readyz", {}],
    ["the liveness probe", "/healthz", {}],
    ["a page that is not there", "/nowhere", {}],
  ];
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Real milliseconds without an answer after which whoever still waits does so for the clock. */
const IDLE_MS = 200;
const STEP_MS = 20;
let answered = 0;
let rounds = 0;

/** Calls routes at once, under a clock that runs ten times as fast while they wait for it. */
async function askAllFaster(asked = routes) {
  // The result of the last round's probe is no longer fresh, and no identity is kept so long.
  const now = Date.now() + ++rounds * (FRESH_MS + DEADLINE_MS + 60_000);
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout", "performance"], now });
  const all = askAll(asked);
  const isOver = all.then(
    () => true,
    () => true,
  );
  const later = () => scheduler.wait(STEP_MS).then(() => false);
  let [idle, seen] = [0, answered];
  while (!(await Promise.race([isOver, later()]))) {
    idle = seen === answered ? idle + STEP_MS : 0;
    seen = answered;
    if (idle >= IDLE_MS) await vi.advanceTimersByTimeAsync(10 * STEP_MS);
  }
  return all;
}

/**
 * Calls routes at once. Returns status and code of each, as its own log lines and Analytics points have them.
 */
async function askAll(asked = routes, settings: Record<string, string> = SETTINGS) {
  const { lines, points } = listen();
  return Promise.all(
    asked.map(async ([what, path, init]) => {
      const request = new Request(new URL(path, ORIGIN), {
        redirect: "manual",
        ...(typeof init === "function" ? init() : init),
      });
      request.headers.set("host", new URL(ORIGIN).host);
      request.headers.set("cf-connecting-ip", newAddress());
      const ctx = createExecutionContext();
      const began = performance.now();
      const response = await app.fetch(request, { ...env, ctx, ...settings }, ctx);
      const text = await response.text();
      const tookMs = performance.now() - began;
      answered += 1;
      if (what === TOKENS && response.ok) refreshToken = tokensSchema.parse(JSON.parse(text)).refresh_token;
      const id = response.headers.get("x-request-id") ?? "";
      const isOf = (name: unknown) => typeof name === "string" && id !== "" && name.startsWith(id);
      const isOfRequest = (line: Record<string, unknown>) => isOf(line["correlation_id"]) && "code" in line;
      // A call that is settled after its answer is logged later.
      if (REFUSED.test(text)) await vi.waitUntil(() => lines().some(isOfRequest), { timeout: 3_000 });
      const logged = lines().filter(isOfRequest);
      const counted = points().filter((point) => point?.blobs?.some(isOf) && point.blobs[3] !== "");
      const codes = new Set(logged.map((line) => line["code"]));
      return {
        what,
        status: response.status,
        codes: [...codes].join(),
        logged: logged.length,
        counted: counted.length,
        text,
        id,
        tookMs,
      };
    }),
  );
}

/** Expected statuses while everything works, by name of the route; the other routes answer 200. */
const HEALTHY: Record<string, number> = {
  "a registration": 201,
  "a sign-in": 303,
  "a page of a caller": 404,
  "the confirmation page": 403,
  "a page that is not there": 404,
};
const CALLS = [
  "a keyed call of the 2025 revisions",
  "a keyed call of 2026-07-28",
  "a call with an OAuth token",
  "a batch",
  "a resource",
  "a call for personal data",
];
const PAGES = [
  "the account",
  "the dashboard",
  "a page of a caller",
  "the confirmation page",
  "the consent page",
  "a sign-in",
];
const BY_ADDRESS = ["a registration", "the consent page", "a sign-in"];
const BY_DATABASE = [...CALLS, ...PAGES, TOKENS, "the admin API", "a change by the admin API"];
const BY_KV = ["a call with an OAuth token", TOKENS, "a registration", "the consent page", "the account"];
const PUBLIC = "a call without a token";
const READY = "the readiness probe";

/**
 * Public reads go on by the policy's `fail_open`. Only the user's object knows whether a refresh token was exchanged before.
 */
const WITHOUT_OBJECTS = {
  "200 unavailable": ["a call for personal data"],
  "503 unavailable": [...BY_ADDRESS, TOKENS, READY],
};

/** Expected answers that differ from a healthy server's. */
const OTHERWISE: Record<"hangs" | "throws", Record<Binding, Record<string, string[]>>> = {
  hangs: {
    DB: { "504 timeout": BY_DATABASE, "200 timeout": [PUBLIC], "503 unavailable": [READY] },
    OAUTH_KV: { "504 timeout": BY_KV },
    USER_WINDOWS: WITHOUT_OBJECTS,
    METRICS_HUB: { "504 timeout": ["the metrics"] },
  },
  throws: {
    DB: { "503 unavailable": [...BY_DATABASE, READY], "200 unavailable": [PUBLIC] },
    OAUTH_KV: { "503 unavailable": BY_KV },
    USER_WINDOWS: WITHOUT_OBJECTS,
    METRICS_HUB: { "503 unavailable": ["the metrics"] },
  },
};

it("every route answers while everything works", async () => {
  const all = await askAll();
  for (const { what, status } of all)
    expect([what, status]).toEqual([
      what,
      HEALTHY[what] ?? (what === "a change by the admin API" ? 201 : 200),
    ]);
});

it("a database that takes most of the deadline per answer delays a call no longer than that", async () => {
  // In real time: objects wait for the database too, and must go on in their own context. Before the fake clock, which is ahead.
  const ms = DEADLINE_MS / 2;
  // The identity of a new caller is not kept.
  const call = rpc(search(), bearer(await keyOf(["shopper"])));
  lags("DB", ms * 0.8);
  const settings = { ...SETTINGS, CALL_DEADLINE_MS: String(ms) };
  const [answer] = await askAll([["a new caller's call", "/mcp", call]], settings);
  expect(`${answer?.status} ${answer?.codes}`).toBe("200 timeout");
  // The look-up of the key and the search together would take 1.6 deadlines.
  expect(answer?.tookMs).toBeLessThan(ms * 1.5);
});

describe.each(["hangs", "throws"] as const)("a binding that %s", (how) => {
  it.each(BINDINGS)("delays nobody: %s", async (binding) => {
    const over = breaks(binding, how);
    const all = await askAllFaster();
    over();
    const otherwise = OTHERWISE[how][binding];
    for (const { what, status, codes, logged, counted, text, id, tookMs } of all) {
      const [expected] = Object.entries(otherwise).find(([, names]) => names.includes(what)) ?? [undefined];
      if (expected === undefined) {
        const isTaken = what === "a change by the admin API";
        expect([what, codes]).toEqual([what, isTaken ? "conflict" : ""]);
        expect([what, status]).toEqual([what, HEALTHY[what] ?? (isTaken ? 409 : 200)]);
      } else {
        expect([what, `${status} ${codes}`]).toEqual([what, expected]);
        // Each call of the batch, or the whole request, is logged once.
        expect([what, logged]).toEqual([what, what === "a batch" && status === 200 ? 2 : 1]);
        expect([what, counted]).toEqual([what, logged]);
        if (what !== READY) expect(text).toContain(id);
      }
      expect(text).not.toContain("PLANTED");
      expect([what, tookMs < DEADLINE_MS + GRACE_MS + MARGIN_MS]).toEqual([what, true]);
    }
  });
});
