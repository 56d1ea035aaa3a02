import { logEvent } from "../log.ts";
import { type Counts, count, seriesIn } from "./counts.ts";
import type { Delta } from "./delta.ts";

/** Milliseconds between two flushes of an isolate, at least. */
export const FLUSH_MS = 1_000;
const WAIT_MAX_MS = 30_000;
/** The isolate discards an unconfirmed delta well before the hub forgets the isolate. */
export const GIVE_UP_MS = 10 * 60_000;
/** A flush that has not ended after this long died with its request. */
const DEAD_MS = 60_000;

/** Sends a delta to the hub. */
export type Apply = (delta: Delta) => Promise<void>;

/**
 * Counts for one isolate and sends numbered deltas to the hub, one at a time. A failed delta is sent again unchanged
 * under its number, so the hub counts it once even if it had received it before.
 */
export class Flusher {
  counts: Counts = {};
  readonly #isolate: string;
  #sequence = 0;
  #pending: { delta: Delta; since: number } | undefined;
  /** When the current flush was planned or began; undefined if there is none. */
  #busySince: number | undefined;
  #waitMs = FLUSH_MS;

  constructor(isolate: string) {
    this.#isolate = isolate;
  }

  /**
   * Returns the milliseconds that this request must wait before it flushes; undefined if another request will flush.
   */
  plan(now: number): number | undefined {
    if (this.#busySince !== undefined && now - this.#busySince < DEAD_MS) return undefined;
    this.#busySince = now;
    return this.#waitMs;
  }

  /**
   * Sends all that is counted; returns false if that failed. Two parallel flushes send the same delta, which the hub
   * counts once.
   */
  async flush(apply: Apply, now: number): Promise<boolean> {
    this.#busySince = now;
    try {
      for (let delta = this.#next(now); delta !== undefined; delta = this.#next(now)) {
        await apply(delta);
        if (this.#pending?.delta === delta) this.#pending = undefined;
      }
      this.#waitMs = FLUSH_MS;
      return true;
    } catch {
      // All isolates share one hub, so each backs off if it is in trouble.
      this.#waitMs = Math.min(2 * this.#waitMs, WAIT_MAX_MS);
      return false;
    } finally {
      this.#busySince = undefined;
    }
  }

  #next(now: number): Delta | undefined {
    if (this.#pending !== undefined && now - this.#pending.since > GIVE_UP_MS)
      this.#giveUp(this.#pending.delta);
    if (this.#pending === undefined && Object.keys(this.counts).length > 0) {
      this.#sequence += 1;
      const delta = { isolate: this.#isolate, sequence: this.#sequence, counts: this.counts };
      this.#pending = { delta, since: now };
      this.counts = {};
    }
    return this.#pending?.delta;
  }

  #giveUp({ counts }: Delta): void {
    this.#pending = undefined;
    const calls = seriesIn(counts, "mcp_calls_total");
    logEvent("metrics_lost", { lost_calls: calls.reduce((sum, { values: [value = 0] }) => sum + value, 0) });
    count(this.counts, "mcp_telemetry_lost_total", []);
  }
}
