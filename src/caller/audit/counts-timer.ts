import { logFailure } from "../log-failure.ts";
import type { CallerState } from "../state.ts";

/** Milliseconds between two writes of counts: well below the 10 s after which workerd evicts an idle object. */
const COUNTS_MS = 2_000;

/**
 * Stores the counts of repeated refusals a moment later. It uses a timer, because an alarm would be a billed write each time; the
 * object stays in memory at least until the timer fires.
 */
export class CountsTimer {
  readonly #state: CallerState;
  #isRunning = false;

  constructor(state: CallerState) {
    this.#state = state;
  }

  storeSoon(): void {
    if (this.#isRunning || !this.#state.log.hasUnstored) return;
    this.#isRunning = true;
    setTimeout(() => {
      this.#isRunning = false;
      void logFailure(async () => this.#state.log.storeRepeats());
    }, COUNTS_MS);
  }
}
