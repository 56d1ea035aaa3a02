import { logEvent } from "../log.ts";
import { type Counts, count, seriesIn } from "./counts.ts";
import type { Delta } from "./delta.ts";

/** An isolate sends at most this often. */
export const FLUSH_MS = 1_000;
const WAIT_MAX_MS = 30_000;
/** A delta that the hub may or may not have is given up well before the hub forgets its isolate. */
export const GIVE_UP_MS = 10 * 60_000;
/** A flush that says nothing for this long has died with the request that it ran behind. */
const DEAD_MS = 60_000;

/** Where deltas go. */
export type Apply = (delta: Delta) => Promise<void>;

/**
 * What one isolate counts, and how it gets to the hub: as numbered deltas, one at a time. One that fails is sent
 * again as it was, under its number, so the hub takes it once though it may have had it already.
 */
export class Flusher {
  counts: Counts = {};
  readonly #isolate: string;
  #sequence = 0;
  #pending: { delta: Delta; since: number } | undefined;
  /** When a flush was planned or begun; undefined while none is. */
  #busySince: number | undefined;
  #waitMs = FLUSH_MS;

  constructor(isolate: string) {
    this.#isolate = isolate;
  }

  /** Milliseconds to wait before the next flush, for the request that has to see to it; undefined where another does. */
  plan(now: number): number | undefined {
    if (this.#busySince !== undefined && now - this.#busySince < DEAD_MS) return undefined;
    this.#busySince = now;
    return this.#waitMs;
  }

  /** Sends what there is; false where that failed. Two at a time send one delta twice, which the hub takes once. */
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
      // The hub is one object for all: where it is in trouble, each isolate asks less often.
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
