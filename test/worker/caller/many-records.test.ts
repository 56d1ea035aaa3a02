import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import * as z from "zod";
import { AuditLog, PRUNED_MAX } from "../../../src/caller/audit/audit-log.ts";
import { createStore } from "../../../src/caller/store.ts";
import type { CallerDO } from "../../../src/caller/caller-do.ts";
import { DAY_MS, WINDOW_MS, admission, newObject, settlement } from "../support/admission.ts";

// An object reads as many records of a long chain as of a short one.

const NOW = 1_800_000_000_000;
const SHORT = 200;
const LONG = 30_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Work = (instance: CallerDO, storage: DurableObjectStorage) => unknown;

/** Runs in an object whose chain has `more` records after its first two calls, one per second until now. */
async function withRecords<T>(
  count: number,
  work: (instance: CallerDO, storage: DurableObjectStorage) => T,
): Promise<T> {
  const { principal, object } = newObject();
  await runInDurableObject(object, (instance: CallerDO, { storage }) => {
    vi.setSystemTime(NOW - count * 1_000);
    const answer = instance.admit(admission(principal));
    if (answer.admitted) instance.settle(settlement(answer.seq));
    const { sql } = storage;
    const [attempt] = sql.exec("SELECT text, hash FROM records WHERE seq = 1").toArray();
    sql.exec(
      `WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
       INSERT INTO records (seq, at, text, hash)
         SELECT i, ?2 + i * 1000, json_set(?3, '$.seq', i, '$.at', ?2 + i * 1000), ?4 FROM n`,
      count,
      NOW - count * 1_000,
      z.string().parse(attempt?.["text"]),
      z.string().parse(attempt?.["hash"]),
    );
    sql.exec("INSERT OR REPLACE INTO flow_at (id, seq) VALUES (1, ?)", count);
  });
  vi.setSystemTime(NOW);
  await evictDurableObject(object);
  return runInDurableObject(object, (instance: CallerDO, { storage }) => work(instance, storage));
}

const WORK: Record<string, Work> = {
  overview: (instance) => instance.overview({ calls: WINDOW_MS, discovery: WINDOW_MS }),
  "calls of an incident": (instance) => instance.callsAround([3, 4, 5]),
  "rule hits": (instance) => instance.ruleHits(NOW - 30 * DAY_MS),
  "decided together": (instance) => instance.decidedWith("incident-1"),
  "a page of an export": (instance) => instance.exportPage(50, 120, 50),
  "what is to be pruned": (_, { sql }) => createStore(sql).lastBefore(NOW - 100_000, 0, 1),
  "the last hit": (_, { sql }) => createStore(sql).lastHitBehind(0),
};

const measure = (count: number) =>
  withRecords(count, (instance, storage) =>
    Object.fromEntries(
      Object.entries(WORK).map(([name, work]) => {
        const exec = vi.spyOn(storage.sql, "exec");
        work(instance, storage);
        const rows = exec.mock.results.reduce((sum, { value }) => sum + value.rowsRead, 0);
        const scans = exec.mock.calls
          .filter(([query]) => !query.includes("LIMIT"))
          .flatMap(([query, ...values]) =>
            storage.sql
              .exec(`EXPLAIN QUERY PLAN ${query}`, ...values)
              .toArray()
              .map(({ detail }) => z.string().parse(detail)),
          );
        exec.mockRestore();
        return [
          name,
          { rows, scans: scans.filter((detail) => /^SCAN records(?! USING)/.test(detail)) },
        ] as const;
      }),
    ),
  );

it("no page reads a long chain", async () => {
  const [few, many] = [await measure(SHORT), await measure(LONG)];
  for (const [name, { rows, scans }] of Object.entries(many)) {
    // A binary search takes one step per doubling.
    const most = 3 * (few[name]?.rows ?? 0) + 2 * Math.log2(LONG);
    expect({ name, rows, isFew: rows <= most }).toMatchObject({ name, isFew: true });
    expect({ name, scans }).toEqual({ name, scans: [] });
  }
});

it("expired records are found by binary search, pruned in batches, and all of them in the end", async () => {
  const oldest = await withRecords(LONG, (_, { sql }) => {
    const store = createStore(sql);
    expect(store.lastBefore(NOW - LONG * 1_000, 0, LONG)).toBeUndefined();
    expect(store.lastBefore(NOW - 1_000 * (LONG - 10), 0, LONG)?.seq).toBe(9);
    expect(store.lastBefore(NOW - 1_000 * (LONG - 10), 50, LONG)?.seq).toBe(50);
    expect(store.lastBefore(NOW + DAY_MS, 0, LONG)?.seq).toBe(LONG);
    expect(store.chargedSince(NOW - 5_000, "calls")).toHaveLength(5);
    const log = new AuditLog(store);
    const left = () => z.int().parse(sql.exec("SELECT count(*) AS n FROM records").one()["n"]);
    log.prune(NOW, 1_000);
    expect(left()).toBe(LONG - PRUNED_MAX);
    log.prune(NOW, 1_000);
    expect(left()).toBe(1_000);
    return store.oldestAt();
  });
  expect(oldest).toBe(NOW - 999 * 1_000);
});
