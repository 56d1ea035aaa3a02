/** The right to work on one call. */
export interface Slot {
  /** Once, when the call is over. The caller's next waiting request gets the slot. */
  free(): void;
}

interface Held {
  /** Milliseconds since the epoch. A request that was killed frees nothing, so its slots end by themselves. */
  until: number;
}

/** A place in the queue for a slot. Nobody is called when it gets one, because requests must not run each other's code. */
export interface Place {
  /** The slot, once it is this place's turn. */
  readonly slot: Slot | undefined;
  /** Places before this one. */
  readonly ahead: number;
  /** Gives up the place, and frees its slot. */
  leave(): void;
}

interface Waiting extends Held {
  slot: Slot | undefined;
}

interface Caller {
  held: Set<Held>;
  /** First come, first served. */
  waiting: Set<Waiting>;
}

/**
 * Lets the calls of each caller run a few at a time in this isolate, whichever requests they came with, so that one caller
 * can't keep the database and the processor from others. Callers do not wait for each other.
 */
export class CallerSlots {
  /** Calls of one caller that run at the same time. */
  readonly atOnce: number;
  readonly #callers = new Map<string, Caller>();

  constructor(atOnce: number) {
    this.atOnce = atOnce;
  }

  /** A slot of the caller's for at most until `until`, or undefined if all are held. Times are in milliseconds since the epoch. */
  take(name: string, until: number, now: number): Slot | undefined {
    const caller = this.#callerOf(name, now);
    if (caller.waiting.size > 0 || caller.held.size >= this.atOnce) return undefined;
    return this.#hold(name, caller, until);
  }

  /** Takes a place in the caller's queue, until `until`. */
  wait(name: string, until: number, now: number): Place {
    const caller = this.#callerOf(name, now);
    const mine: Waiting = { until, slot: undefined };
    caller.waiting.add(mine);
    this.#handOn(name, caller);
    return {
      get slot() {
        return mine.slot;
      },
      get ahead() {
        return Math.max(0, [...caller.waiting].indexOf(mine));
      },
      leave: () => {
        caller.waiting.delete(mine);
        mine.slot?.free();
      },
    };
  }

  #hold(name: string, caller: Caller, until: number): Slot {
    const held = { until };
    caller.held.add(held);
    return {
      free: () => {
        if (!caller.held.delete(held)) return;
        this.#handOn(name, caller);
        if (caller.held.size === 0) this.#callers.delete(name);
      },
    };
  }

  #handOn(name: string, caller: Caller): void {
    for (const next of caller.waiting) {
      if (caller.held.size >= this.atOnce) return;
      caller.waiting.delete(next);
      next.slot = this.#hold(name, caller, next.until);
    }
  }

  #callerOf(name: string, now: number): Caller {
    const caller = this.#callers.get(name) ?? { held: new Set(), waiting: new Set() };
    this.#callers.set(name, caller);
    for (const list of [caller.held, caller.waiting])
      for (const each of list) if (each.until <= now) list.delete(each);
    this.#handOn(name, caller);
    return caller;
  }
}
