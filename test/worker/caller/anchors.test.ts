import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { AuditLog } from "../../../src/caller/audit/audit-log.ts";
import { verifyChain } from "../../../src/caller/audit/chain.ts";
import { createStore } from "../../../src/caller/store.ts";
import type { CallerDO } from "../../../src/caller/caller-do.ts";
import { DAY_MS, admission, newObject, settlement } from "../support/admission.ts";
import { anchorRow, exported } from "../support/audit.ts";
import { recordsOf } from "../support/caller.ts";

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

beforeEach(async () => {
  await ensureMigrated(env.DB);
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Instance = DurableObjectStub<CallerDO>;

async function callOnce(principal: string, object: Instance): Promise<void> {
  const answer = await object.admit(admission(principal, { limit: { max: 100, windowMs: MINUTE } }));
  if (answer.admitted) await object.settle(settlement(answer.seq));
}

/** Waits for work that an object has started in the background. */
const settled = (principal: string, seq: number) =>
  vi.waitFor(async () => expect(await anchorRow(principal)).toMatchObject({ seq }));

const alarmOf = (object: Instance) => runInDurableObject(object, (_, { storage }) => storage.getAlarm());

/** Collects the statements about anchors that D1 receives from here on. */
function anchorWrites() {
  const prepare = vi.spyOn(env.DB, "prepare");
  return () => prepare.mock.calls.filter(([sql]) => /INSERT INTO audit_anchors/.test(sql)).length;
}

/** Makes D1 fail for anchors until the mocks are restored. */
function loseAnchors() {
  const prepare = env.DB.prepare.bind(env.DB);
  vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
    if (sql.includes("audit_anchors")) throw new Error("D1_ERROR: Network connection lost.");
    return prepare(sql);
  });
  return vi.spyOn(console, "error").mockImplementation(() => {});
}

describe("an anchor", () => {
  it("is written with the first settlement, and then once a minute at most", async () => {
    const { principal, object } = newObject();
    const writes = anchorWrites();
    for (let second = 0; second < 60; second++) {
      vi.setSystemTime(NOW + second * 1_000);
      await callOnce(principal, object);
    }
    await settled(principal, 2);
    expect(writes()).toBe(1);
    vi.setSystemTime(NOW + MINUTE);
    await callOnce(principal, object);
    await settled(principal, 122);
    expect(writes()).toBe(2);
  });

  it("is written by the alarm if no call follows", async () => {
    const { principal, object } = newObject();
    await callOnce(principal, object);
    await settled(principal, 2);
    vi.setSystemTime(NOW + 1_000);
    await callOnce(principal, object);
    expect(await anchorRow(principal)).toMatchObject({ seq: 2, anchored_at: NOW });

    // Too early for another, so the alarm waits for its minute.
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect(await anchorRow(principal)).toMatchObject({ seq: 2 });
    expect(await alarmOf(object)).toBe(NOW + MINUTE);
    vi.setSystemTime(NOW + MINUTE);
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect(await anchorRow(principal)).toMatchObject({ seq: 4, anchored_at: NOW + MINUTE });
    // Nothing is left to do until the first record expires.
    expect(await alarmOf(object)).toBe(NOW + DAY_MS + 1);
  });

  it("is written by the alarm for a caller who is only refused", async () => {
    const { principal, object } = newObject();
    await object.admit(admission(principal, { refused: { permission: "permission_denied" } }));
    expect(await anchorRow(principal)).toBeNull();
    vi.setSystemTime(NOW + MINUTE);
    await runDurableObjectAlarm(object);
    expect(await anchorRow(principal)).toMatchObject({ seq: 1 });
  });

  it("is written with each export, however soon", async () => {
    const { principal, object } = newObject();
    await callOnce(principal, object);
    await settled(principal, 2);
    for (const seq of [4, 6]) {
      await callOnce(principal, object);
      const { lines, anchor } = await exported(principal);
      expect(anchor).toMatchObject({ seq });
      expect(await verifyChain(lines, anchor)).toMatchObject({ ok: true, records: seq });
    }
  });

  it("that D1 rejects fails no call, and the alarm retries until it is written", async () => {
    const { principal, object } = newObject();
    const logged = loseAnchors();
    await callOnce(principal, object);
    await vi.waitFor(() => expect(logged).toHaveBeenCalledTimes(1));
    for (const minute of [1, 2, 3]) {
      vi.setSystemTime(NOW + minute * MINUTE);
      expect(await runDurableObjectAlarm(object)).toBe(true);
      expect(await alarmOf(object)).toBe(NOW + (minute + 1) * MINUTE);
    }
    await callOnce(principal, object);
    expect(await recordsOf(object)).toHaveLength(4);
    vi.restoreAllMocks();
    expect(await anchorRow(principal)).toBeNull();

    await evictDurableObject(object);
    vi.setSystemTime(NOW + 4 * MINUTE);
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect(await anchorRow(principal)).toMatchObject({ seq: 4 });
  });
});

describe("retention", () => {
  it("prunes older records, and keeps a checkpoint from which the rest verifies", async () => {
    const { principal, object } = newObject();
    for (const hours of [0, 10, 20]) {
      vi.setSystemTime(NOW + (hours * DAY_MS) / 24);
      await callOnce(principal, object);
    }
    const whole = await exported(principal);
    for (const { ago, left } of [
      { ago: 0, left: 6 },
      { ago: 1, left: 4 },
    ]) {
      vi.setSystemTime(NOW + DAY_MS + ago);
      await runDurableObjectAlarm(object);
      expect(await recordsOf(object)).toHaveLength(left);
    }
    const { lines, anchor } = await exported(principal);
    expect(lines).toHaveLength(5);
    expect(lines.slice(1)).toEqual(whole.lines.slice(3));
    expect(await verifyChain(lines, anchor)).toMatchObject({
      ok: true,
      records: 4,
      checked: { end: true, beginning: true },
    });
    // An auditor with the complete chain also has the anchor of that time.
    expect(await verifyChain(whole.lines, whole.anchor)).toMatchObject({ ok: true, records: 6 });
    // Only the policy may prune: another record cut off at the beginning is detected.
    expect(await verifyChain([lines[0] ?? "", ...lines.slice(2)], anchor)).toMatchObject({ ok: false });

    // Calls in between extend the chain, evicted or not.
    await evictDurableObject(object);
    await callOnce(principal, object);
    const later = await exported(principal);
    expect(await verifyChain(later.lines, later.anchor)).toMatchObject({ ok: true, head: { seq: 8 } });
  });

  it("prunes the oldest of too many records, whatever their age", async () => {
    const { principal, object } = newObject();
    for (let call = 0; call < 4; call++) await callOnce(principal, object);
    await runInDurableObject(object, (_, { storage }) =>
      new AuditLog(createStore(storage.sql)).prune(NOW, 3),
    );
    await evictDurableObject(object);
    const { lines, anchor } = await exported(principal);
    expect(await verifyChain(lines, anchor)).toMatchObject({ ok: true, records: 3, head: { seq: 8 } });
  });

  it("that has pruned everything deletes its storage and closes the anchor; a later call starts a new chain", async () => {
    const { principal, object } = newObject();
    await callOnce(principal, object);
    const old = await exported(principal);
    const after = NOW + 2 * DAY_MS;
    vi.setSystemTime(after);
    expect(await runDurableObjectAlarm(object)).toBe(true);
    const left = await runInDurableObject(object, async (_, { storage }) => ({
      tables: storage.sql.exec("SELECT name FROM sqlite_schema WHERE name NOT GLOB '_cf_*'").toArray(),
      alarm: await storage.getAlarm(),
    }));
    expect(left).toEqual({ tables: [], alarm: null });
    expect(await anchorRow(principal)).toMatchObject({ closed_at: after });
    await expect(exported(principal)).rejects.toThrow(/404/);

    await callOnce(principal, object);
    const anew = await exported(principal);
    expect(anew.anchor).toMatchObject({ started_at: after, seq: 2, checkpoint_seq: 0 });
    expect(await anchorRow(principal)).toMatchObject({ closed_at: null });
    expect(await verifyChain(anew.lines, anew.anchor)).toMatchObject({ ok: true, records: 2 });
    expect(await verifyChain(old.lines, anew.anchor)).toMatchObject({ problem: "not_the_anchored_chain" });
  });

  it("retries if D1 was down when everything was pruned", async () => {
    const { principal, object } = newObject();
    await callOnce(principal, object);
    await settled(principal, 2);
    const logged = loseAnchors();
    vi.setSystemTime(NOW + 2 * DAY_MS);
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect(logged).toHaveBeenCalled();
    expect(await alarmOf(object)).toBe(NOW + 2 * DAY_MS + MINUTE);
    vi.restoreAllMocks();
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect(await anchorRow(principal)).toMatchObject({ closed_at: NOW + 2 * DAY_MS });
  });

  it("loses no call that arrives while the chain ends", async () => {
    const { principal, object } = newObject();
    await callOnce(principal, object);
    await settled(principal, 2);
    for (let day = 2; day < 12; day += 2) {
      vi.setSystemTime(NOW + day * DAY_MS);
      const calls = Array.from({ length: 5 }, () => callOnce(principal, object));
      expect(await runDurableObjectAlarm(object)).toBe(true);
      await Promise.all(calls);
      expect(await recordsOf(object)).toHaveLength(10);
      const { lines, anchor } = await exported(principal);
      expect(await verifyChain(lines, anchor)).toMatchObject({ ok: true, records: 10 });
    }
  });

  it("continues a chain that was called while D1 wrote its end", async () => {
    const { principal, object } = newObject();
    await callOnce(principal, object);
    await settled(principal, 2);
    const prepare = env.DB.prepare.bind(env.DB);
    await runInDurableObject(object, (instance) => {
      vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
        if (sql.startsWith("UPDATE audit_anchors")) instance.admit(admission(principal));
        return prepare(sql);
      });
    });
    vi.setSystemTime(NOW + 2 * DAY_MS);
    expect(await runDurableObjectAlarm(object)).toBe(true);
    expect(await anchorRow(principal)).toMatchObject({ seq: 3, checkpoint_seq: 2, closed_at: null });
    const { lines, anchor } = await exported(principal);
    expect(await verifyChain(lines, anchor)).toMatchObject({ ok: true, records: 1 });
  });
});
