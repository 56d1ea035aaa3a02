import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Counts, count, observe } from "../../../src/telemetry/metrics/counts.ts";
import { DAY_MS, FORGET_MS } from "../../../src/telemetry/metrics/hub-store.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 24, 12, 0, 0);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(START);
});
afterEach(() => void vi.useRealTimers());

const newHub = () => env.METRICS_HUB.getByName(crypto.randomUUID());

function calls(number: number, { tool = "get_product", status = "ok", seconds = 0.004 } = {}): Counts {
  const counts: Counts = {};
  count(counts, "mcp_tool_invocations_total", [tool, status], number);
  count(counts, "mcp_calls_total", ["tool", status], number);
  for (let index = 0; index < number; index++) {
    observe(counts, "mcp_tool_duration_seconds", [tool], seconds);
    observe(counts, "mcp_call_duration_seconds", ["tool"], seconds);
  }
  return counts;
}
const delta = (sequence: number, counts: Counts, isolate = "one") => ({ isolate, sequence, counts });
const total = (counts: Counts) => counts["mcp_tool_invocations_total"]?.["get_product\nok"]?.[0];

it("applies a delta once, however often and in whatever order old ones come again", async () => {
  const hub = newHub();
  await hub.apply(delta(1, calls(2)));
  await hub.apply(delta(2, calls(3)));
  await hub.apply(delta(2, calls(3)));
  await hub.apply(delta(1, calls(2)));
  await hub.apply(delta(1, calls(10), "two"));
  expect(total(await hub.scrape())).toBe(15);
});

it("has everything after an eviction, and still knows what was applied", async () => {
  const hub = newHub();
  await hub.apply(delta(1, calls(2)));
  await evictDurableObject(hub);
  await hub.apply(delta(1, calls(2)));
  await hub.apply(delta(2, calls(1)));
  expect(total(await hub.scrape())).toBe(3);
  const { points } = await hub.series({ fromMs: START, toMs: START + 1, stepMs: MINUTE });
  expect(points).toMatchObject([{ at_ms: START, calls: 3 }]);
});

it("reports what happened when, by step and by tool", async () => {
  const hub = newHub();
  await hub.apply(delta(1, calls(2)));
  vi.setSystemTime(START + 3 * MINUTE);
  const bad = calls(1, { tool: "query_stock", status: "error", seconds: 1.5 });
  count(bad, "mcp_refusals_total", ["internal"]);
  count(bad, "mcp_degraded_calls_total", ["true"]);
  count(bad, "mcp_calls_total", ["discovery", "ok"], 7);
  await hub.apply(delta(2, bad));
  const { points, tools } = await hub.series({
    fromMs: START,
    toMs: START + 4 * MINUTE,
    stepMs: 2 * MINUTE,
  });
  expect(points).toEqual([
    {
      at_ms: START,
      calls: 2,
      errors: 0,
      refused: 0,
      degraded: 0,
      p50_ms: expect.closeTo(4),
      p95_ms: expect.closeTo(4.9),
      refusals: {},
    },
    {
      at_ms: START + 2 * MINUTE,
      calls: 1,
      errors: 1,
      refused: 0,
      degraded: 1,
      p50_ms: expect.closeTo(1_500),
      p95_ms: expect.closeTo(1_950),
      refusals: { internal: 1 },
    },
  ]);
  expect(tools).toEqual([
    { name: "get_product", calls: 2, errors: 0, refused: 0, p95_ms: expect.closeTo(4.9) },
    { name: "query_stock", calls: 1, errors: 1, refused: 0, p95_ms: expect.closeTo(1_950) },
  ]);
});

it("merges data older than a day into hours without counting anything twice, and drops it after 30 days", async () => {
  const hub = newHub();
  for (let minute = 0; minute < 90; minute += 30) {
    vi.setSystemTime(START + minute * MINUTE);
    await hub.apply(delta(1 + minute, calls(1)));
  }
  vi.setSystemTime(START + DAY_MS + HOUR);
  await hub.apply(delta(100, calls(1)));
  const whole = { fromMs: START, toMs: START + 2 * DAY_MS, stepMs: DAY_MS };
  const callsOf = async () => (await hub.series(whole)).points.map((point) => point.calls);
  const rows = () =>
    runInDurableObject(hub, (_, { storage }) =>
      ["minutes", "hours", "isolates"].map((table) =>
        Number(storage.sql.exec(`SELECT count(*) AS n FROM ${table}`).one()["n"]),
      ),
    );
  expect(await rows()).toEqual([2, 1, 1]);
  expect((await callsOf()).reduce((sum, each) => sum + each)).toBe(4);

  vi.setSystemTime(START + 31 * DAY_MS);
  await hub.apply(delta(101, calls(1)));
  expect(await rows()).toEqual([1, 1, 1]);
  vi.setSystemTime(START + 33 * DAY_MS);
  await hub.apply(delta(102, calls(1)));
  expect(await rows()).toEqual([1, 1, 1]);
  expect(total(await hub.scrape())).toBe(6);
});

it("forgets an isolate that was silent for long", async () => {
  const hub = newHub();
  await hub.apply(delta(1, calls(1), "gone"));
  vi.setSystemTime(START + FORGET_MS + MINUTE);
  await hub.apply(delta(1, calls(1), "new"));
  await runInDurableObject(hub, (_, { storage }) => {
    expect(storage.sql.exec("SELECT id FROM isolates").toArray()).toEqual([{ id: "new" }]);
  });
});
