import { DurableObject } from "cloudflare:workers";
import { type Counts, merge } from "./counts.ts";
import { type Delta, deltaSchema } from "./delta.ts";
import { HubStore } from "./hub-store.ts";
import { MINUTE_MS, type Range, type Series, selectTimedMetrics, seriesOf, stepsOf } from "./series.ts";

/** The name of the one object. */
export const HUB_NAME = "hub";

/**
 * The sum of all isolates' counts. A delta is added to the totals, its minute and its isolate's mark together, or to
 * none of them.
 */
export class MetricsHub extends DurableObject<Env> {
  readonly #store: HubStore;
  #totals: Counts | undefined;
  #minute: { at: number; counts: Counts } | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new HubStore(ctx.storage.sql);
  }

  /** Adds a delta once, however often it is sent. It counts for the minute in which it arrives. */
  apply(sent: Delta): void {
    const { isolate, sequence, counts } = deltaSchema.parse(sent);
    if (sequence <= this.#store.sequenceOf(isolate)) return;
    try {
      this.ctx.storage.transactionSync(() => this.#add(counts, isolate, sequence, Date.now()));
    } catch (error) {
      // Memory is ahead of storage, so reload the totals. The delta will be sent again.
      this.#totals = undefined;
      this.#minute = undefined;
      throw error;
    }
  }

  #add(counts: Counts, isolate: string, sequence: number, now: number): void {
    const minute = this.#minuteOf(now);
    this.#totals ??= this.#store.totals();
    merge(this.#totals, counts);
    merge(minute.counts, selectTimedMetrics(counts));
    this.#store.saveTotals(this.#totals);
    this.#store.saveMinute(minute.at, minute.counts);
    this.#store.saveSequence(isolate, sequence, now);
  }

  /** Returns everything counted since this object was created. */
  scrape(): Counts {
    return (this.#totals ??= this.#store.totals());
  }

  /** Returns minutes for the last 24 hours, and hours for 30 days. */
  series(range: Range): Series {
    const { start } = stepsOf(range);
    return seriesOf(this.#store.buckets(start, range.toMs), range);
  }

  #minuteOf(now: number): { at: number; counts: Counts } {
    const at = Math.max(Math.floor(now / MINUTE_MS) * MINUTE_MS, this.#minute?.at ?? 0);
    if (this.#minute?.at === at) return this.#minute;
    this.#store.roll(now);
    this.#minute = { at, counts: this.#store.minute(at) };
    return this.#minute;
  }
}
