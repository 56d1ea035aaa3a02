import { remember } from "../remember.ts";

/** No request waits longer, in milliseconds: a time further off was set before the machine's clock was set back. */
const WAIT_MAX_MS = 60_000;

interface PaceOptions {
  /** How many requests of one caller may start at once. */
  burst: number;
  /** Milliseconds from one start to the next, once the burst is used up. */
  everyMs: number;
}

/**
 * Spreads the requests of each caller over time in one isolate, so that sixty that arrive at once leave gaps for others. A
 * request's start depends on the clock alone and not on the requests before it, which may wait for a database far away. The
 * caller that was idle longest is forgotten first.
 */
export class Pace {
  readonly #options: PaceOptions;
  /** When the next request of a caller may start if the burst is used up, in milliseconds since the epoch. */
  readonly #nextAt = new Map<string, number>();

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /**
   * Returns the milliseconds that a request must wait before it starts, and whether that is longer than `waitMaxMs`: then the
   * request must be refused instead.
   */
  next(caller: string, now: number, waitMaxMs: number): { waitMs: number; isTooLong: boolean } {
    const { burst, everyMs } = this.#options;
    const known = this.#nextAt.get(caller) ?? 0;
    const isFromFuture = known > now + WAIT_MAX_MS;
    const startAt = Math.max(isFromFuture ? 0 : known, now - (burst - 1) * everyMs);
    const waitMs = Math.max(0, startAt - now);
    if (waitMs > waitMaxMs) return { waitMs, isTooLong: true };
    remember(this.#nextAt, caller, startAt + everyMs);
    return { waitMs, isTooLong: false };
  }
}
