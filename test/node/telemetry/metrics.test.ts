import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Counts,
  OTHER,
  SERIES_MAX,
  count,
  merge,
  observe,
} from "../../../src/telemetry/metrics/counts.ts";
import { expose } from "../../../src/telemetry/metrics/exposition.ts";
import { quantileMs, stepsOf } from "../../../src/telemetry/metrics/series.ts";
import { BUCKETS } from "../../../src/telemetry/metrics/table.ts";

const seconds = fc.double({ min: 0, max: 20, noNaN: true });

describe("counts", () => {
  it("add up, however they are split", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.tuple(fc.constantFrom("a", "b"), seconds))), (parts) => {
        const whole: Counts = {};
        const merged: Counts = {};
        for (const part of parts) {
          const own: Counts = {};
          for (const [name, took] of part) {
            for (const counts of [whole, own]) {
              count(counts, "mcp_tool_invocations_total", [name, "ok"]);
              observe(counts, "mcp_tool_duration_seconds", [name], took);
            }
          }
          merge(merged, own);
        }
        const rounded = (counts: Counts) =>
          JSON.stringify(counts, (_, value) => (typeof value === "number" ? Math.round(value * 1e6) : value));
        expect(rounded(merged)).toBe(rounded(whole));
      }),
    );
  });

  it("leave merged counts unchanged", () => {
    const delta: Counts = {};
    count(delta, "mcp_refusals_total", ["not_found"]);
    const totals: Counts = {};
    merge(totals, delta);
    merge(totals, delta);
    expect(delta).toEqual({ mcp_refusals_total: { not_found: [1] } });
    expect(totals).toEqual({ mcp_refusals_total: { not_found: [2] } });
  });

  it("have a bounded number of series: the rest share one", () => {
    const counts: Counts = {};
    for (let index = 0; index < 2 * SERIES_MAX; index++)
      count(counts, "mcp_tool_invocations_total", [`tool-${index}`, "ok"]);
    const totals: Counts = {};
    merge(totals, counts);
    for (const each of [counts, totals]) {
      const series = each["mcp_tool_invocations_total"] ?? {};
      expect(Object.keys(series)).toHaveLength(SERIES_MAX + 1);
      expect(series[`${OTHER}\n${OTHER}`]).toEqual([SERIES_MAX]);
    }
  });

  it("restart a series that an earlier version stored in another shape", () => {
    const totals: Counts = { mcp_d1_duration_seconds: { "": [1, 2, 3] } };
    const delta: Counts = {};
    observe(delta, "mcp_d1_duration_seconds", [], 0.004);
    merge(totals, delta);
    expect(totals).toEqual(delta);
  });
});

describe("a quantile", () => {
  it("lies in the bucket of the real one", () => {
    fc.assert(
      fc.property(
        fc.array(seconds, { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.5, 0.95),
        (took, q) => {
          const counts: Counts = {};
          for (const each of took) observe(counts, "mcp_d1_duration_seconds", [], each);
          const real = took.toSorted((a, b) => a - b)[Math.ceil(q * took.length) - 1] ?? 0;
          const high = BUCKETS.find((end) => real <= end) ?? BUCKETS[BUCKETS.length - 1] ?? 0;
          const low = BUCKETS.findLast((end) => end < high) ?? 0;
          const read = (quantileMs(Object.values(counts["mcp_d1_duration_seconds"] ?? {}), q) ?? -1) / 1000;
          expect(read).toBeGreaterThanOrEqual(low - 1e-9);
          expect(read).toBeLessThanOrEqual(high + 1e-9);
        },
      ),
    );
  });

  it("of no values is undefined", () => expect(quantileMs([], 0.5)).toBeNull());
});

it("steps cover the range in whole minutes, and are never more than a chart shows", () => {
  const moment = fc.integer({ min: 0, max: 4e12 });
  fc.assert(
    fc.property(moment, fc.nat(4e9), fc.nat(1e8), (fromMs, length, stepMs) => {
      const steps = stepsOf({ fromMs, toMs: fromMs + length, stepMs });
      expect(steps.step % 60_000).toBe(0);
      expect(steps.start).toBeLessThanOrEqual(fromMs);
      expect(steps.start + steps.length * steps.step).toBeGreaterThanOrEqual(fromMs + length);
      expect(steps.length).toBeLessThanOrEqual(2_001);
    }),
  );
});

it("is exposed in Prometheus's format", () => {
  const counts: Counts = { mcp_not_of_the_table: { x: [1] } };
  count(counts, "mcp_resource_reads_total", ["catalog://products/{sku}"], 2);
  count(counts, "mcp_refusals_total", ['a"b\\c']);
  observe(counts, "mcp_d1_duration_seconds", [], 0.0015);
  observe(counts, "mcp_d1_duration_seconds", [], 60);
  const text = expose(counts, ["1.2.3", "abc"]);
  expect(text).toContain('\nmcp_resource_reads_total{resource_uri="catalog://products/{sku}"} 2\n');
  expect(text).toContain('\nmcp_refusals_total{code="a\\"b\\\\c"} 1\n');
  expect(text).toContain("# TYPE mcp_d1_duration_seconds histogram\n");
  expect(text).toContain('\nmcp_d1_duration_seconds_bucket{le="0.001"} 0\n');
  expect(text).toContain('\nmcp_d1_duration_seconds_bucket{le="0.002"} 1\n');
  expect(text).toContain('\nmcp_d1_duration_seconds_bucket{le="5"} 1\n');
  expect(text).toContain('\nmcp_d1_duration_seconds_bucket{le="+Inf"} 2\n');
  expect(text).toContain("\nmcp_d1_duration_seconds_sum 60.0015\nmcp_d1_duration_seconds_count 2\n");
  expect(text).toContain('\nmcp_build_info{version="1.2.3",commit="abc"} 1\n');
  expect(text).not.toContain("mcp_not_of_the_table");
});
