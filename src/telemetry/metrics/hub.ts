import { DurableObject } from "cloudflare:workers";
import { type Counts, merge } from "./counts.ts";
import { type Delta, deltaSchema } from "./delta.ts";
import { HubStore } from "./hub-store.ts";
import { MINUTE_MS, type Range, type Series, keptByTime, seriesOf, stepsOf } from "./series.ts";

/** There is one object, of this name. */
export const HUB_NAME = "hub";

/**
 * What all isolates have counted. A delta is in the totals, in its minute and in its isolate's mark, or in none
 * of them.
 */
export class MetricsHub extends DurableObject<Env> {
  readonly #store: HubStore;
  #totals: Counts | undefined;
  #minute: { at: number; counts: Counts } | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new HubStore(ctx.storage.sql);
  }

  /** Adds a delta, once, however often it is sent. It counts for the minute in which it arrives. */
  apply(sent: Delta): void {
    const { isolate, sequence, counts } = deltaSchema.parse(sent);
    if (sequence <= this.#store.sequenceOf(isolate)) return;
    try {
      this.ctx.storage.transactionSync(() => this.#add(counts, isolate, sequence, Date.now()));
    } catch (error) {
      // What is in memory is ahead of what is stored, and the delta will come again.
      this.#totals = undefined;
      this.#minute = undefined;
      throw error;
    }
  }

  #add(counts: Counts, isolate: string, sequence: number, now: number): void {
    const minute = this.#minuteOf(now);
    this.#totals ??= this.#store.totals();
    merge(this.#totals, counts);
    merge(minute.counts, keptByTime(counts));
    this.#store.saveTotals(this.#totals);
    this.#store.saveMinute(minute.at, minute.counts);
    this.#store.saveSequence(isolate, sequence, now);
  }

  /** Everything since this object first counted. */
  scrape(): Counts {
    return (this.#totals ??= this.#store.totals());
  }

  /** By minutes for the last 24 hours, by hours for 30 days. */
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
