import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AuditLog } from "../../../src/caller/audit/audit-log.ts";
import { RateWindows } from "../../../src/caller/rate/rate-windows.ts";
import { createStore } from "../../../src/caller/store.ts";
import type { CallerDO } from "../../../src/caller/caller-do.ts";
import { WINDOW_MS, admission, newObject, settlement } from "../support/admission.ts";
import { recordsOf, rowsOf } from "../support/caller.ts";
import { evict, useFakeClock } from "../support/timers.ts";

const NOW = 1_800_000_000_000;
const MAX = 5;

beforeEach(() => {
  useFakeClock(NOW);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Instance = DurableObjectStub<CallerDO>;

/** Returns all charges in a bucket's windows, from the records. */
async function chargesOf(object: Instance) {
  const records = await recordsOf(object);
  return records
    .flatMap((record) => {
      if (record.kind === "attempt") return [{ at: record.at, weight: record.weight }];
      if (record.kind === "repeats") return record.charges.map(([at, weight]) => ({ at, weight }));
      return [];
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => a.at - b.at);
}

const steps = {
  forward: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 15_000 }) },
    { weight: 1, arbitrary: fc.constantFrom(WINDOW_MS - 1, WINDOW_MS, WINDOW_MS + 1) },
  ),
  back: fc.integer({ min: -100_000, max: -1 }),
};
const refused = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      { arguments: "invalid_arguments" as const },
      { arguments: "unknown_tool" as const },
      { permission: "permission_denied" as const },
    ),
  },
);
const asked = fc.record({ refused, weight: fc.integer({ min: 1, max: 3 }) });

describe("eviction", () => {
  it("creates a table that an earlier release lacked", async () => {
    const { principal, object } = newObject();
    await object.admit(admission(principal));
    await runInDurableObject(object, (_, { storage }) => void storage.sql.exec("DROP TABLE acts"));
    await evict(object);
    const changed = { change: "customer_set", by: "admin", roles: null, key: null, customer: "c-1" } as const;
    await object.noteIdentity({ principal, ...changed });
    const { adminEvents } = await object.overview({ calls: WINDOW_MS, discovery: WINDOW_MS });
    expect(adminEvents).toMatchObject([changed]);
  });

  it("between any two calls changes no verdict and no retry time", async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(steps.forward, asked), { minLength: 10, maxLength: 25, size: "max" }),
        async (calls) => {
          const [kept, evicted] = [newObject(), newObject()];
          for (const [ms, { refused: local, weight }] of calls) {
            vi.setSystemTime(Date.now() + ms);
            const changes = { refused: local, attempt: { weight } };
            const verdict = await kept.object.admit(admission(kept.principal, changes));
            const again = await evicted.object.admit(admission(evicted.principal, changes));
            seen.add(verdict.admitted ? "admitted" : verdict.stage);
            expect({ ...again, seq: 0 }).toEqual({ ...verdict, seq: 0 });
            await evict(evicted.object);
          }
        },
      ),
      { numRuns: 6 },
    );
    expect([...seen].toSorted()).toEqual(["admitted", "arguments", "permission", "rate"]);
  }, 30_000);

  it("keeps the charges of repeated refusals", async () => {
    const { principal, object } = newObject();
    const bad = () => admission(principal, { refused: { arguments: "invalid_arguments" } });
    for (let call = 0; call < MAX; call++) {
      vi.setSystemTime(NOW + call);
      expect(await object.admit(bad())).toEqual({ admitted: false, stage: "arguments" });
    }
    // The first has a record; the other four are only in its run.
    expect(await rowsOf(object)).toEqual({ records: 1, runs: 1 });
    await evict(object);
    vi.setSystemTime(NOW + 100);
    expect(await object.admit(admission(principal))).toEqual({
      admitted: false,
      stage: "rate",
      retryAfterMs: WINDOW_MS - 100,
    });
    vi.setSystemTime(NOW + WINDOW_MS - 1);
    expect(await object.admit(admission(principal))).toMatchObject({ retryAfterMs: 1 });
    await evict(object);
    vi.setSystemTime(NOW + WINDOW_MS);
    // The run has become a record, and its four charges still count.
    expect(await object.admit(admission(principal))).toMatchObject({ admitted: true });
    await evict(object);
    expect(await object.admit(admission(principal))).toMatchObject({ retryAfterMs: 1 });
    for (const at of [1, 2, 3, 4]) {
      vi.setSystemTime(NOW + WINDOW_MS + at);
      expect(await object.admit(admission(principal))).toMatchObject({ admitted: true });
    }
  });
});

describe("a clock that is set back", () => {
  it("admits no more than the limit in any stretch of a window, evicted or not", async () => {
    const move = fc.oneof({ weight: 4, arbitrary: steps.forward }, { weight: 1, arbitrary: steps.back });
    const turn = fc.tuple(move, asked, fc.integer({ min: 0, max: 5 }));
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 20, maxLength: 50, size: "max" }), async (turns) => {
        const { principal, object } = newObject();
        for (const [ms, { refused: local, weight }, evicts] of turns) {
          vi.setSystemTime(Date.now() + ms);
          const request = () => admission(principal, { refused: local, attempt: { weight } });
          const answer = await object.admit(request());
          if (evicts === 0) await evict(object);
          if (answer.admitted || answer.stage !== "rate") continue;
          const { retryAfterMs } = answer;
          expect(retryAfterMs).toBeGreaterThan(0);
          vi.setSystemTime(Date.now() + retryAfterMs - 1);
          expect(await object.admit(request())).toMatchObject({ stage: "rate", retryAfterMs: 1 });
          vi.setSystemTime(Date.now() + 1);
          expect(await object.admit(request())).not.toMatchObject({ stage: "rate" });
        }
        vi.setSystemTime(Date.now() + 3 * WINDOW_MS);
        await runDurableObjectAlarm(object);
        const records = await recordsOf(object);
        const times = records.map(({ at }) => at);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        const charges = await chargesOf(object);
        for (const { at: end } of charges) {
          const within = charges.filter(({ at }) => at > end - WINDOW_MS && at <= end);
          expect(within.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(MAX);
        }
      }),
      { numRuns: 6 },
    );
  }, 30_000);

  it("does not go back before a counted refusal", async () => {
    const { principal, object } = newObject();
    const bad = () => admission(principal, { refused: { arguments: "invalid_arguments" } });
    await object.admit(bad());
    vi.setSystemTime(NOW + 30_000);
    await object.admit(bad());
    await evict(object);
    vi.setSystemTime(NOW);
    await object.admit(admission(principal));
    expect(await recordsOf(object)).toMatchObject([{ at: NOW }, { at: NOW + 30_000, decision: "admitted" }]);
  });
});

describe("a flood of refusals", () => {
  const FLOOD = 10_000;
  const flood = (object: Instance, request: () => ReturnType<typeof admission>) =>
    runInDurableObject(object, (instance: CallerDO) => {
      for (let call = 0; call < FLOOD; call++) {
        vi.setSystemTime(NOW + Math.floor((call * WINDOW_MS) / FLOOD));
        instance.admit(request());
      }
    });
  /** Returns the bytes of everything in the object's tables. */
  const stored = (object: Instance) =>
    runInDurableObject(object, (_, { storage }) =>
      ["records", "runs", "state"]
        .map(
          (table) => storage.sql.exec<{ n: number }>(`SELECT sum(length(text)) AS n FROM ${table}`).one().n,
        )
        .reduce((sum, each) => sum + each, 0),
    );

  it.each([
    { what: "by the limit", local: {}, admitted: MAX, charged: 0 },
    { what: "by permission", local: { permission: "permission_denied" as const }, admitted: 0, charged: 4 },
    { what: "of arguments", local: { arguments: "unknown_tool" as const }, admitted: 0, charged: 4 },
  ])(
    "$what stores one record, and their number when the window is over",
    async ({ local, admitted, charged }) => {
      const { principal, object } = newObject();
      await flood(object, () => admission(principal, { refused: local }));
      // After refused arguments, a full window refuses by the limit: a run of another code.
      const runs = "arguments" in local ? 2 : 1;
      expect(await rowsOf(object)).toEqual({ records: admitted + runs, runs });
      expect(await stored(object)).toBeLessThan(5_000);

      vi.setSystemTime(NOW + 2 * WINDOW_MS);
      expect(await runDurableObjectAlarm(object)).toBe(true);
      const repeats = (await recordsOf(object)).flatMap((record) =>
        record.kind === "repeats" ? [record] : [],
      );
      expect(repeats.reduce((sum, { count }) => sum + count, 0)).toBe(FLOOD - admitted - runs);
      expect(repeats).toHaveLength(runs);
      expect(repeats.flatMap(({ charges }) => charges)).toHaveLength(charged);
      expect(await rowsOf(object)).toEqual({ records: admitted + 2 * runs, runs: 0 });
    },
  );

  it("of every code at once holds no more in memory than the limits allow", async () => {
    const { principal, object } = newObject();
    const limit = { max: 2_000, windowMs: WINDOW_MS };
    const codes = [
      "invalid_arguments",
      "unknown_tool",
      "not_found",
      "malformed_request",
      "unknown_method",
      "permission_denied",
    ] as const;
    await runInDurableObject(object, (instance) => {
      for (let call = 0; call < FLOOD; call++) {
        vi.setSystemTime(NOW + call);
        const code = codes[call % codes.length] ?? "not_found";
        const local = code === "permission_denied" ? { permission: code } : { arguments: code };
        instance.admit(admission(principal, { refused: local, limit }));
      }
    });
    // A new object holds what it reads back.
    await runInDurableObject(object, (_, { storage }) => {
      const log = new AuditLog(createStore(storage.sql));
      const window = new RateWindows(createStore(storage.sql), log).window("calls", WINDOW_MS, Date.now());
      expect(window.times.length).toBeLessThanOrEqual(limit.max);
      expect(window.total).toBe(limit.max);
      // One per code, and one for the limit.
      expect(log.openRepeats.size).toBe(codes.length + 1);
      const held = [...log.openRepeats.values()].reduce((sum, { charges }) => sum + charges.times.length, 0);
      expect(held).toBeLessThanOrEqual(limit.max);
    });
    expect(await rowsOf(object)).toEqual({ records: 7, runs: 7 });
  });
});

it("a record that the storage rejects leaves the chain unchanged", async () => {
  const { principal, object } = newObject();
  await object.admit(admission(principal));
  await runInDurableObject(object, (instance, { storage }) => {
    storage.sql.exec("CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'full'); END");
    expect(() => instance.settle(settlement(1))).toThrow(/full/);
    storage.sql.exec("DROP TRIGGER full");
    instance.settle(settlement(1));
  });
  expect(await recordsOf(object)).toMatchObject([{ seq: 1 }, { seq: 2, kind: "outcome" }]);
});
