import { limitOf, weightOf } from "../../src/policy/roles.ts";
import type { Policy } from "../../src/policy/schema.ts";
import type { Bucket } from "../../src/caller/audit/records.ts";
import { type SlidingWindow, charge, emptyWindow, fitsAt } from "../../src/caller/rate/sliding-window.ts";

/** The charges that a caller's rate windows were asked for. Times are milliseconds since the epoch. */
export interface RateEvent {
  at: number;
  bucket: Bucket;
  roles: readonly string[];
  name: string;
  /** The call's number; undefined of a refusal that is only counted, but was charged. */
  attempt: number | undefined;
  /** Refused by a stage before the rate window, which charges it all the same. */
  isRefusedBefore: boolean;
}

/**
 * The calls that a policy's rate windows would have refused, by their numbers: the code of the caller's object, over the
 * times of the record. Windows begin empty with the record.
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
