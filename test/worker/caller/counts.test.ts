import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it, vi } from "vitest";
import type { CallerDO } from "../../../src/caller/caller-do.ts";
import { WINDOW_MS, admission, newObject } from "../support/admission.ts";
import { recordsOf } from "../support/caller.ts";
import { evict, useFakeClock } from "../support/timers.ts";

afterEach(() => void vi.useRealTimers());

/** Returns the number of calls in the records: attempts, and the calls counted after them. */
async function recorded(object: DurableObjectStub<CallerDO>): Promise<number> {
  const records = await recordsOf(object);
  return records.reduce((sum, each) => {
    if (each.kind === "attempt") return sum + 1;
    return each.kind === "repeats" ? sum + each.count : sum;
  }, 0);
}

it.each([
  { what: "by the limit", refused: {} },
  { what: "by permission", refused: { permission: "permission_denied" as const } },
  { what: "for their arguments", refused: { arguments: "invalid_arguments" as const } },
])("300 calls refused $what are 300 in the chain, though the object lost its memory", async ({ refused }) => {
  const { principal, object } = newObject();
  useFakeClock(Date.now());
  for (const calls of [229, 71]) {
    await runInDurableObject(object, (instance: CallerDO) => {
      for (let call = 0; call < calls; call++) instance.admit(admission(principal, { refused }));
    });
    await evict(object);
  }
  vi.setSystemTime(Date.now() + 2 * WINDOW_MS);
  await runDurableObjectAlarm(object);
  expect(await recorded(object)).toBe(300);
});

it("a flood of refusals is stored every two seconds at most, and when its count has doubled", async () => {
  const { principal, object } = newObject();
  const refused = { permission: "permission_denied" as const };
  await runInDurableObject(object, async (instance: CallerDO, { storage }) => {
    for (let call = 0; call < 6; call++) instance.admit(admission(principal, { refused }));
    const exec = vi.spyOn(storage.sql, "exec");
    const writes = () => exec.mock.calls.filter(([sql]) => sql.includes("INTO runs")).length;
    const until = Date.now() + 3_000;
    let calls = 0;
    while (Date.now() < until) {
      for (let call = 0; call < 10; call++) instance.admit(admission(principal, { refused }));
      calls += 10;
      await sleep(50);
    }
    expect(calls).toBeGreaterThan(100);
    expect(writes()).toBeLessThanOrEqual(2 + Math.log2(calls));
  });
});
