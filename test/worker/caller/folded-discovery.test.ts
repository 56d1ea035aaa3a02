import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AuditLog } from "../../../src/caller/audit/audit-log.ts";
import { AUDIT_FULL } from "../../../src/incidents/incident-record.ts";
import { createStore } from "../../../src/caller/store.ts";
import { DAY_MS, WINDOW_MS, admission, newObject, settlement } from "../support/admission.ts";
import { recordsOf } from "../support/caller.ts";

// In the future, so that no alarm rings by itself: workerd rings them by the real clock.
const NOW = 1_800_000_000_000;
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: NOW }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const limit = { max: 50, windowMs: WINDOW_MS };
const discovery = (principal: string, name = "tools/list") =>
  admission(principal, { limit, attempt: { target: "discovery", name, bucket: "discovery" } });

it("records 40 equal discovery calls of a window as one attempt, its outcome and a count of 39", async () => {
  const { principal, object } = newObject();
  for (let call = 0; call < 40; call++) {
    const answer = await object.admit(discovery(principal));
    if (!answer.admitted) throw new Error("refused");
    await object.settle(settlement(answer.seq));
  }
  await object.admit(discovery(principal, "prompts/list"));
  vi.setSystemTime(NOW + 2 * WINDOW_MS);
  await runDurableObjectAlarm(object);

  const records = await recordsOf(object);
  expect(records.map((each) => (each.kind === "attempt" ? each.name : each.kind))).toEqual([
    "tools/list",
    "outcome",
    "prompts/list",
    "repeats",
  ]);
  expect(records[3]).toMatchObject({ of: 1, decision: "admitted", bucket: "discovery", count: 39 });
});

it("counts folded calls in the rate window after the object lost its memory", async () => {
  const { principal, object } = newObject();
  for (let call = 0; call < 45; call++) await object.admit(discovery(principal));
  await evictDurableObject(object);
  const answers = [];
  for (let call = 0; call < 6; call++) answers.push((await object.admit(discovery(principal))).admitted);
  expect(answers).toEqual([true, true, true, true, true, false]);
});

it("records every call that reads data", async () => {
  const { principal, object } = newObject();
  for (let call = 0; call < 3; call++) await object.admit(admission(principal));
  expect((await recordsOf(object)).map(({ kind }) => kind)).toEqual(["attempt", "attempt", "attempt"]);
});

it("distinguishes records that are dropped early from expired ones", async () => {
  const { principal, object } = newObject();
  for (let call = 0; call < 4; call++) await object.admit(admission(principal));
  await runInDurableObject(object, (_, { storage }) => {
    const log = new AuditLog(createStore(storage.sql));
    expect(log.prune(NOW, 3)).toBe("early");
    expect(log.prune(NOW, 3)).toBeUndefined();
    expect(log.prune(NOW + DAY_MS + 1, 3)).toBe("due");
  });
});

it("opens one incident when an audit is pruned by number", async () => {
  const { principal, object } = newObject();
  await object.admit(admission(principal));
  const prune = vi.spyOn(AuditLog.prototype, "prune").mockReturnValue("early");
  for (const minutes of [2, 4]) {
    vi.setSystemTime(NOW + minutes * 60_000);
    await runDurableObjectAlarm(object);
  }
  expect(prune).toHaveBeenCalled();
  const { results } = await env.DB.prepare(
    "SELECT rule, severity, verdict, status FROM incidents WHERE principal = ?",
  )
    .bind(principal)
    .all();
  expect(results).toEqual([{ rule: AUDIT_FULL, severity: "high", verdict: "flag", status: "open" }]);
});
