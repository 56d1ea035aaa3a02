import type { AuditLog } from "../audit/audit-log.ts";
import type { Bucket } from "../audit/records.ts";
import { type Charge, type SlidingWindow, charge, emptyWindow, listCharges } from "./sliding-window.ts";
import type { Store } from "../store.ts";

/**
 * One principal's rate windows, in memory. They are rebuilt from the audit records, the only place where charges are stored.
 */
export class RateWindows {
  readonly #store: Store;
  readonly #log: AuditLog;
  readonly #known = new Map<Bucket, { windowMs: number; window: SlidingWindow }>();

  constructor(store: Store, log: AuditLog) {
    this.#store = store;
    this.#log = log;
  }

  /** Returns a bucket's window; reads it from the records if it is not in memory or its length has changed. */
  window(bucket: Bucket, windowMs: number, now: number): SlidingWindow {
    const known = this.#known.get(bucket);
    if (known?.windowMs === windowMs) return known.window;
    const window = emptyWindow();
    for (const { at, weight } of this.#charges(bucket, now - windowMs).toSorted((a, b) => a.at - b.at))
      charge(window, weight, at);
    this.#known.set(bucket, { windowMs, window });
    return window;
  }

  /** Returns every charge since a moment. A record is never older than its charges. */
  #charges(bucket: Bucket, since: number): Charge[] {
    const found = [...this.#log.openRepeats.values()].flatMap((repeats) =>
      repeats.bucket === bucket ? listCharges(repeats.charges) : [],
    );
    return [...found, ...this.#store.chargedSince(since, bucket)].filter(
      ({ at, weight }) => at > since && weight > 0,
    );
  }
}
