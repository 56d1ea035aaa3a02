import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CallRecord } from "../../../src/telemetry/call-record.ts";
import { blobs, cutBytes, doubles, pointOf } from "../../../src/telemetry/points.ts";
import { anyCharacter } from "../../any-character.ts";

const record: CallRecord = {
  kind: "tool",
  name: "get_product",
  outcome: "rate_limited",
  ran: false,
  durationMs: 4,
  resultBytes: 0,
  records: 0,
  protocol: "2026-07-28",
  client: "test/1",
  principal: "abcdefghijkl",
  verdicts: [
    { rule: "people", mode: "enforce", verdict: "confirm" },
    { rule: "catalog-crawl", mode: "shadow", verdict: "throttle" },
  ],
  degraded: false,
  correlationId: "id",
  trace: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", baggage: "shop=eu" },
  arguments: {},
};
const bytes = (text: string) => new TextEncoder().encode(text).length;

it("puts each field in its slot", () => {
  const point = pointOf(record);
  const named = Object.fromEntries(blobs.map(({ name }, index) => [name, point.blobs[index]]));
  expect(named).toEqual({
    kind: "tool",
    name: "get_product",
    status: "refused",
    code: "rate_limited",
    principal: "abcdefghijkl",
    client: "test/1",
    protocol: "2026-07-28",
    flow_rules: " people:enforce catalog-crawl:shadow ",
    correlation_id: "id",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate: "",
    baggage: "shop=eu",
    "mcp.method.name": "tools/call",
  });
  expect(point.doubles).toEqual([4, 0, 0, 0, 0]);
  expect(point.indexes).toEqual(["abcdefghijkl"]);
});

describe("Analytics Engine's limits", () => {
  it("leave room for every slot", () => {
    expect(blobs.length).toBeLessThanOrEqual(20);
    expect(doubles.length).toBeLessThanOrEqual(20);
  });

  it("are kept whatever a record holds", () => {
    const text = fc.string({ unit: anyCharacter, maxLength: 3_000 });
    fc.assert(
      fc.property(text, text, text, fc.double(), (name, principal, client, durationMs) => {
        const many = Array.from({ length: 400 }, () => ({
          rule: name,
          mode: "flag" as const,
          verdict: "flag",
        }));
        const point = pointOf({ ...record, name, principal, client, durationMs, verdicts: many });
        expect(bytes(point.indexes[0])).toBeLessThanOrEqual(96);
        expect(bytes(point.blobs.join(""))).toBeLessThanOrEqual(16 * 1024);
        for (const value of point.doubles) expect(Number.isFinite(value)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("never split a character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 80 }), fc.nat(120), (text, max) => {
        const cut = cutBytes(text, max);
        expect(text.startsWith(cut)).toBe(true);
        expect(bytes(cut)).toBeLessThanOrEqual(max);
        // A text that fits is not cut, and at most one character's bytes are lost.
        expect(bytes(text) <= max ? cut === text : bytes(cut) > max - 4).toBe(true);
        expect(cut.isWellFormed()).toBe(true);
      }),
    );
  });
});
