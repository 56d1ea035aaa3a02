import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";
import type { CallerDO } from "../../../src/caller/caller-do.ts";

/** Fakes the clock and the timers of the code under test, which objects use to store their counts after two seconds. */
export const useFakeClock = (now: number) =>
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now });

/**
 * Evicts an object as workerd does: not before its timers have fired. The timers must be fake; the clock stays where it is.
 */
export async function evict(object: DurableObjectStub<CallerDO>): Promise<void> {
  await runInDurableObject(object, () => {
    const now = Date.now();
    vi.runOnlyPendingTimers();
    vi.setSystemTime(now);
  });
  await evictDurableObject(object);
}
