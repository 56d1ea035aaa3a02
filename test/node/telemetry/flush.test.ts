import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Counts, count, merge } from "../../../src/telemetry/metrics/counts.ts";
import { FLUSH_MS, Flusher, GIVE_UP_MS } from "../../../src/telemetry/metrics/flush.ts";
import type { Delta } from "../../../src/telemetry/metrics/delta.ts";

afterEach(() => void vi.restoreAllMocks());

/** A hub that applies deltas like src/telemetry/metrics/hub.ts, and counts how often it was asked. */
function newHub() {
  const totals: Counts = {};
  const applied = new Map<string, number>();
  return {
    totals,
    apply({ isolate, sequence, counts }: Delta): void {
      if (sequence <= (applied.get(isolate) ?? 0)) return;
      applied.set(isolate, sequence);
      merge(totals, structuredClone(counts));
    },
  };
}
const refusals = (counts: Counts) => counts["mcp_refusals_total"]?.["not_found"]?.[0] ?? 0;

describe("a flusher", () => {
  it("is scheduled by one request at a time", async () => {
    const flusher = new Flusher("one");
    expect(flusher.plan(0)).toBe(FLUSH_MS);
    expect(flusher.plan(10)).toBeUndefined();
    await flusher.flush(async () => {}, 1_000);
    expect(flusher.plan(1_001)).toBe(FLUSH_MS);
  });

  it("is scheduled again if the request that should have flushed has died", () => {
    const flusher = new Flusher("one");
    flusher.plan(0);
    expect(flusher.plan(59_999)).toBeUndefined();
    expect(flusher.plan(60_000)).toBe(FLUSH_MS);
  });

  it("counts each call once, whether a flush fails before or after the hub has applied it", async () => {
    const fate = fc.constantFrom("arrives", "is lost", "arrives, and its answer is lost");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(3), fate)), async (rounds) => {
        const flusher = new Flusher("one");
        const hub = newHub();
        let counted = 0;
        for (const [calls, happens] of [...rounds, [0, "arrives"] as const]) {
          if (calls > 0) count(flusher.counts, "mcp_refusals_total", ["not_found"], calls);
          counted += calls;
          const done = await flusher.flush(async (delta) => {
            if (happens !== "is lost") hub.apply(delta);
            if (happens !== "arrives") throw new Error("lost");
          }, 0);
          if (happens === "arrives") expect(done).toBe(true);
        }
        expect(refusals(hub.totals)).toBe(counted);
      }),
    );
  });

  it("counts each call once if two requests flush at the same time", async () => {
    const flusher = new Flusher("one");
    const hub = newHub();
    count(flusher.counts, "mcp_refusals_total", ["not_found"]);
    const send = async (delta: Delta) => {
      await Promise.resolve();
      hub.apply(delta);
    };
    const both = [flusher.flush(send, 0), flusher.flush(send, 0)];
    count(flusher.counts, "mcp_refusals_total", ["not_found"]);
    await Promise.all(both);
    await flusher.flush(send, 0);
    expect(refusals(hub.totals)).toBe(2);
  });

  it("asks less often while the hub fails", async () => {
    const flusher = new Flusher("one");
    const waits = [];
    for (let tries = 0; tries < 7; tries++) {
      count(flusher.counts, "mcp_refusals_total", ["not_found"]);
      waits.push(flusher.plan(0));
      await flusher.flush(() => Promise.reject(new Error("overloaded")), 0);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it("drops a delta before the hub would forget its isolate, and logs that", async () => {
    const logged: string[] = [];
    vi.spyOn(console, "error").mockImplementation((line: string) => void logged.push(line));
    const flusher = new Flusher("one");
    count(flusher.counts, "mcp_calls_total", ["tool", "ok"], 3);
    await flusher.flush(() => Promise.reject(new Error("gone")), 0);
    const hub = newHub();
    await flusher.flush(async (delta) => hub.apply(delta), GIVE_UP_MS + 1);
    expect(hub.totals).toEqual({ mcp_telemetry_lost_total: { "": [1] } });
    expect(logged.map((line) => JSON.parse(line))).toMatchObject([{ event: "metrics_lost", lost_calls: 3 }]);
  });
});
