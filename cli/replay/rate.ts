import { limitOf, weightOf } from "../../src/policy/roles.ts";
import type { Policy } from "../../src/policy/schema.ts";
import type { Bucket } from "../../src/caller/audit/records.ts";
import { type SlidingWindow, charge, emptyWindow, fitsAt } from "../../src/caller/rate/sliding-window.ts";

/** A charge on a caller's rate windows. Times are milliseconds since the epoch. */
export interface RateEvent {
  at: number;
  bucket: Bucket;
  roles: readonly string[];
  name: string;
  /** The call's number; undefined for a refusal that was charged but is only counted. */
  attempt: number | undefined;
  /** Refused by a stage before the rate window, which is still charged. */
  isRefusedBefore: boolean;
}

/**
 * Returns the numbers of the calls that a policy's rate windows would have refused. It runs the code of the
 * caller's object over the recorded times. Windows start empty with the record.
 */
export function limitedBy(policy: Policy, events: readonly RateEvent[]): Set<number> {
  const windows: Record<Bucket, SlidingWindow> = { calls: emptyWindow(), discovery: emptyWindow() };
  const limited = new Set<number>();
  for (const { at, bucket, roles, name, attempt, isRefusedBefore } of events) {
    const { max, window_s } = limitOf(policy, roles, bucket);
    const weight = weightOf(policy, bucket, name);
    const isOver = fitsAt(windows[bucket], weight, { max, windowMs: window_s * 1000 }, at) > at;
    if (!isOver) charge(windows[bucket], weight, at);
    else if (!isRefusedBefore && attempt !== undefined) limited.add(attempt);
  }
  return limited;
}
