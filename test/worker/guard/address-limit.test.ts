import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { AppTypes } from "../../../src/app-types.ts";
import { app } from "../../../src/app.ts";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { Deadline } from "../../../src/deadlines.ts";
import { limitByAddress } from "../../../src/http/limits/address-limit.ts";
import type { Endpoint } from "../../../src/policy/schema.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { anonymous } from "../../../src/identity/principal.ts";
import { hashAddress } from "../../../src/identity/secrets.ts";
import { showRefusal } from "../../../src/http/refuse-request.tsx";
import { DEPLOYED, ORIGIN, form, send } from "../identity/support/deployed.ts";
import { Issuer } from "../identity/support/issuer.ts";
import { admission } from "../support/admission.ts";
import { recordsOf } from "../support/caller.ts";
import { failing } from "../support/failing-callers.ts";

const issuer = new Issuer();
const SETTINGS = { ...issuer.settings };

beforeAll(() => ensureMigrated(env.DB));

const json = { "content-type": "application/json" };
const fromOurPage = { origin: ORIGIN };
const METADATA = JSON.stringify({
  client_name: "Flood",
  redirect_uris: ["https://client.example/callback"],
  token_endpoint_auth_method: "none",
});
const CLIENT = encodeURIComponent("https://client.invalid/metadata.json");
/** Endpoints that anybody may call, with their answer below the limit. */
const DOORS: [endpoint: Endpoint, path: string, init: RequestInit, status: number][] = [
  ["register", "/oauth/register", { method: "POST", headers: json, body: METADATA }, 201],
  ["sign-in", "/sign-in", form({ key: "pcm_" }, fromOurPage), 401],
  ["sign-on", "/sign-on/start", form({ next: "/account" }, fromOurPage), 200],
  [
    "token",
    "/oauth/token",
    form({
      grant_type: "refresh_token",
      refresh_token: "x",
      client_id: "https://client.invalid/metadata.json",
    }),
    401,
  ],
  ["authorize", `/authorize?response_type=code&client_id=${CLIENT}`, {}, 400],
];

const from = (address: string, { headers, ...init }: RequestInit): RequestInit => {
  const all = new Headers(headers);
  all.set("cf-connecting-ip", address);
  return { ...init, headers: all };
};
const callerAt = (address: string, endpoint: Endpoint) =>
  `${anonymous(hashAddress(address, DEPLOYED["SECRET_KEY"] ?? "")).id}-${endpoint}`;

/** Returns an address that has used up the window of an endpoint. */
async function busyAddress(endpoint: Endpoint): Promise<string> {
  const address = `192.0.2.${Math.floor(Math.random() * 250)}-${crypto.randomUUID()}`;
  const id = callerAt(address, endpoint);
  const { max, window_s } = policyInForce().unauthenticated[endpoint];
  const attempt = {
    target: "request" as const,
    bucket: "discovery" as const,
    weight: max,
    roles: ["anonymous"],
  };
  await env.USER_WINDOWS.getByName(id).admit(
    admission(id, { limit: { max, windowMs: window_s * 1000 }, attempt }),
  );
  return address;
}

/** Counts what has been written or fetched so far. */
async function keptNow(): Promise<number> {
  const { keys } = await env.OAUTH_KV.list();
  const { results } = await env.DB.prepare("SELECT 1 FROM sign_on_attempts").all();
  return keys.length + results.length;
}

describe.each(DOORS)("%s: %s", (endpoint, path, init, status) => {
  it("refuses an address that has called too often, before anything is stored or fetched, and no other", async () => {
    // The host of the client's description does not exist.
    issuer.listen(() => Promise.reject(new TypeError("The name does not resolve.")));
    const fetched = vi.spyOn(globalThis, "fetch");
    const address = await busyAddress(endpoint);
    const before = await keptNow();
    const response = await send(path, from(address, init), SETTINGS);
    expect(response.status).toBe(429);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject(
      path.startsWith("/oauth/") ? { code: "rate_limited" } : { error: { data: { code: "rate_limited" } } },
    );
    expect(await keptNow()).toBe(before);
    expect(fetched).not.toHaveBeenCalled();
    expect((await send(path, from("198.51.100.7", init), SETTINGS)).status).toBe(status);
    vi.restoreAllMocks();
  });

  it("is closed if the address cannot be counted", async () => {
    const away = () => Promise.reject(new Error("away"));
    const { callers } = failing("decideAll", away, away);
    const ctx = createExecutionContext();
    const request = new Request(new URL(path, ORIGIN), from("198.51.100.8", init));
    request.headers.set("host", new URL(ORIGIN).host);
    const before = await keptNow();
    const response = await app.fetch(request, { ...env, ctx, ...SETTINGS, USER_WINDOWS: callers }, ctx);
    await waitOnExecutionContext(ctx);
    expect(response.status).toBe(503);
    expect(await keptNow()).toBe(before);
  });
});

it.each([
  ["in the form", { client_id: "a".repeat(16) }, {}],
  ["by HTTP Basic", {}, { authorization: `Basic ${btoa(`${"a".repeat(16)}:secret`)}` }],
])(
  "a registered client, named %s, refreshes its tokens however much others ask at its address",
  async (_, named, headers) => {
    const fields = { grant_type: "refresh_token", refresh_token: "x", ...named };
    const response = await send(
      "/oauth/token",
      from(await busyAddress("token"), form(fields, headers)),
      SETTINGS,
    );
    expect(response.status).toBe(401);
  },
);

it("a browser gets a page that says when to come again", async () => {
  const request = from(await busyAddress("authorize"), { headers: { accept: "text/html" } });
  const response = await send(DOORS.at(-1)?.[1] ?? "", request, SETTINGS);
  expect(response.headers.get("content-type")).toContain("text/html");
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
});

it("admitted calls are in the audit of the address", async () => {
  const address = `203.0.113.1-${crypto.randomUUID()}`;
  await send("/sign-in", from(address, form({ key: "x" }, fromOurPage)), SETTINGS);
  const records = () => recordsOf(env.USER_WINDOWS.getByName(callerAt(address, "sign-in")));
  // Settled after the response.
  await vi.waitFor(async () =>
    expect(await records()).toMatchObject([
      { kind: "attempt", target: "request", name: "sign-in", decision: "admitted", weight: 1 },
      { kind: "outcome", outcome: "ok" },
    ]),
  );
});

it("the addresses of one network make ten times as many objects as one may have requests, and no more", async () => {
  const policy = policyInForce();
  const few = { max: 2, window_s: 60 };
  const pages = new Hono<AppTypes>();
  pages.use(async (c, next) => {
    c.set("policy", { ...policy, unauthenticated: { ...policy.unauthenticated, authorize: few } });
    c.set("secretKey", "a secret of thirty-two bytes or more");
    c.set("origin", "https://catalog.example");
    c.set("correlationId", crypto.randomUUID());
    c.set("deadline", new Deadline(5_000));
    return next();
  });
  pages.get("/authorize", limitByAddress("authorize", showRefusal), (c) => c.text("reached"));
  const getByName = vi.spyOn(env.USER_WINDOWS, "getByName");
  const ask = async (address: string) => {
    const ctx = createExecutionContext();
    const headers = { "cf-connecting-ip": address };
    const response = await pages.request(
      "https://catalog.example/authorize",
      { headers },
      { ...env, ctx },
      ctx,
    );
    return response.status;
  };
  const statuses = [];
  for (let place = 1; place <= 30; place++)
    statuses.push(await ask(`2001:db8:4711:${place.toString(16)}::1`));
  expect(statuses).toEqual([
    ...Array.from({ length: 20 }, () => 200),
    ...Array.from({ length: 10 }, () => 429),
  ]);
  expect(new Set(getByName.mock.calls.map(([name]) => name)).size).toBe(20);
  expect(await ask("2001:db8:4712:1::1")).toBe(200);
  getByName.mockRestore();
}, 30_000);
