import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { FRESH_MS, readiness } from "../../../src/probes/readiness.ts";
import {
  DEPLOYED,
  ORIGIN,
  type Settings,
  answers,
  post,
  search,
  send,
} from "../identity/support/deployed.ts";
import { fill, sample } from "../support/catalog.ts";

const TOKEN = "a scrape token of thirty characters";
const SCRAPED: Settings = { ...DEPLOYED, METRICS_TOKEN: TOKEN, PUBLIC_CATALOG: "on" };
const scrape = (headers: Record<string, string>, settings = SCRAPED) =>
  send("/metrics", { headers }, settings);
const good = { authorization: `Bearer ${TOKEN}` };

beforeAll(() => fill(sample));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("/metrics on a developer's machine", () => {
  const scrapeLocal = async (settings: Settings, url = "http://127.0.0.1:8787/metrics") =>
    (await send(url, {}, { ...DEPLOYED, LOCAL_ANONYMOUS: "on", ...settings })).status;

  it("needs no token, unless one is set or callers without a token are refused", async () => {
    expect(await scrapeLocal({})).toBe(200);
    expect(await scrapeLocal({ METRICS_TOKEN: TOKEN })).toBe(401);
    expect(await scrapeLocal({ LOCAL_ANONYMOUS: "off" })).toBe(404);
  });

  it("is closed on a deployed server, and on one that a PUBLIC_URL elsewhere names", async () => {
    expect(await scrapeLocal({}, `${ORIGIN}/metrics`)).toBe(404);
    expect(await scrapeLocal({ PUBLIC_URL: "https://catalog.example.com" })).toBe(404);
  });
});

describe("/metrics", () => {
  it.each([undefined, ""])("is not found while METRICS_TOKEN is %j", async (METRICS_TOKEN) => {
    expect((await scrape(good, { ...DEPLOYED, METRICS_TOKEN })).status).toBe(404);
    expect((await scrape({}, { ...DEPLOYED, METRICS_TOKEN })).status).toBe(404);
  });

  it("is not found, like everything else, with a guessable token", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect(
      (await scrape({ authorization: "Bearer short" }, { ...DEPLOYED, METRICS_TOKEN: "short" })).status,
    ).toBe(503);
  });

  it.each([
    {},
    { authorization: `Bearer ${TOKEN}x` },
    { authorization: `Bearer ${TOKEN.slice(1)}` },
    { authorization: TOKEN },
    { authorization: `bearer ${TOKEN.toUpperCase()}` },
    { cookie: `token=${TOKEN}` },
  ])("asks for its token when it gets %j", async (headers: Record<string, string>) => {
    const response = await scrape(headers);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await response.text()).not.toContain("mcp_");
  });

  it("counts calls, only under names of the registry", async () => {
    const before = await (await scrape(good)).text();
    const ask = (method: string, params: object) =>
      post({ jsonrpc: "2.0", id: 1, method, params }, {}, { url: `${ORIGIN}/mcp/public`, settings: SCRAPED });
    for (const response of [
      await ask("tools/call", { name: "query_stock", arguments: { skus: ["SKU-10001"] } }),
      await ask("tools/call", { name: 'x",status="ok"} 1\nmcp_forged', arguments: {} }),
      await ask("resources/read", { uri: "catalog://products/SKU-10001" }),
      await ask("resources/read", { uri: "catalog://products/SKU-10002" }),
      await ask("resources/read", { uri: "catalog://products/SKU-nowhere" }),
    ])
      await answers(response);
    const response = await scrape(good);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const after = await response.text();
    const rose = (series: string) => valueOf(after, series) - valueOf(before, series);
    expect(rose('mcp_tool_invocations_total{tool_name="query_stock",status="ok"}')).toBe(1);
    expect(rose('mcp_tool_invocations_total{tool_name="unknown",status="refused"}')).toBe(1);
    expect(rose('mcp_tool_duration_seconds_count{tool_name="query_stock"}')).toBe(1);
    expect(rose('mcp_resource_reads_total{resource_uri="catalog://products/{sku}"}')).toBe(2);
    expect(rose('mcp_refusals_total{code="not_found"}')).toBe(1);
    expect(rose('mcp_refusals_total{code="unknown_tool"}')).toBe(1);
    expect(rose('mcp_durable_object_duration_seconds_count{operation="admit"}')).toBeGreaterThanOrEqual(5);
    expect(rose("mcp_d1_duration_seconds_count")).toBeGreaterThanOrEqual(3);
    expect(after).toMatch(/^mcp_build_info\{version="\d+\.\d+\.\d+",commit="unknown"\} 1$/m);
    const deployed = await scrape(good, { ...SCRAPED, DEPLOYED_COMMIT: "0123456789ab" });
    expect(await deployed.text()).toContain('commit="0123456789ab"} 1\n');
    expect(after).not.toContain("mcp_forged");
    expect(after).not.toContain("SKU-");
  });

  it("counts a call while the caller's object is out of reach as degraded", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(console, "info").mockImplementation(() => {});
    const before = await (await scrape(good)).text();
    vi.spyOn(env.USER_WINDOWS, "getByName").mockImplementation(() => {
      throw new Error("down");
    });
    await answers(await post(search(), {}, { url: `${ORIGIN}/mcp/public`, settings: SCRAPED }));
    const after = await (await scrape(good)).text();
    const series = 'mcp_degraded_calls_total{served="true"}';
    expect(valueOf(after, series) - valueOf(before, series)).toBe(1);
    const records = "mcp_unguarded_records_total";
    expect(valueOf(after, records) - valueOf(before, records)).toBeGreaterThan(0);
  });
});

/** Returns 0 if the series does not exist yet. */
function valueOf(text: string, series: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

let hours = 0;
describe("/healthz and /readyz", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
    // No result of an earlier test is fresh.
    hours += 1;
    vi.setSystemTime(Date.now() + hours * 3_600_000);
  });
  const ready = async (settings: object = {}) => readiness({ ...env, ...DEPLOYED, ...settings });
  const broken = () => {
    throw new Error("D1_ERROR: secret internals");
  };

  it("answer under any Host, and need no credential", async () => {
    for (const [path, body] of [
      ["/healthz", { status: "ok" }],
      ["/readyz", { status: "ready" }],
    ] as const) {
      const response = await send(path, { headers: { host: "10.0.0.7:8080" } });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual(body);
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
  });

  it.each([
    { part: "settings", settings: { SECRET_KEY: "short" } },
    { part: "settings", settings: { PUBLIC_URL: "ftp://x" } },
  ])("report that the $part is wrong; the process is alive all the same", async ({ part, settings }) => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const response = await send("/readyz", {}, { ...DEPLOYED, ...settings });
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: "not_ready", part });
    expect((await send("/healthz", {}, { ...DEPLOYED, ...settings })).status).toBe(200);
  });

  it("report that the server's own secret key is out of reach", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const unread = { getByName: broken, idFromName: broken };
    const answer = await ready({ SECRET_KEY: undefined, SERVER_SETUP: unread });
    expect(answer).toEqual({ ready: false, part: "secret" });
  });

  it("report that the database is gone, with the cause only in the log", async () => {
    const logged: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void logged.push(line));
    vi.spyOn(env.DB, "prepare").mockImplementation(broken);
    const response = await send("/readyz");
    expect(response.status).toBe(503);
    expect(await response.text()).toBe('{"status":"not_ready","part":"database"}');
    expect(logged.join()).toContain("secret internals");
  });

  it("report that the schema is behind", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const [last] = (await env.DB.prepare("SELECT * FROM d1_migrations ORDER BY id DESC LIMIT 1").all())
      .results;
    await env.DB.prepare("DELETE FROM d1_migrations WHERE name = ?").bind(last?.["name"]).run();
    expect(await ready()).toEqual({ ready: false, part: "schema" });
    await env.DB.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(last?.["name"]).run();
    vi.setSystemTime(Date.now() + FRESH_MS);
    expect(await ready()).toEqual({ ready: true });
  });

  it("report that Durable Objects are out of reach", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(env.USER_WINDOWS, "getByName").mockImplementation(broken);
    expect(await ready()).toEqual({ ready: false, part: "durable_object" });
  });

  it("probe once a second, however many requests arrive", async () => {
    const asked = vi.spyOn(env.DB, "prepare");
    const all = await Promise.all(Array.from({ length: 50 }, () => send("/readyz")));
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(asked.mock.calls.length).toBeLessThanOrEqual(2);
    const looked = asked.mock.calls.length;
    vi.setSystemTime(Date.now() + FRESH_MS - 1);
    await send("/readyz");
    expect(asked.mock.calls.length).toBe(looked);
    vi.setSystemTime(Date.now() + 1);
    await send("/readyz");
    expect(asked.mock.calls.length).toBeGreaterThan(looked);
  });
});
