/** One step took longer than its own limit. */
class TooLate extends Error {
  override name = "TooLate";
}

/** The whole request must end, because its time is up or its client has disconnected. */
export class RequestOver extends Error {
  override name = "RequestOver";
  readonly why: "time" | "client";
  /** Milliseconds that the request was given. */
  readonly ms: number;

  constructor(why: "time" | "client", ms: number) {
    super(why === "time" ? `the request took longer than ${ms} ms` : "the client disconnected");
    this.why = why;
    this.ms = ms;
  }
}

/** Milliseconds between two checks of a request's waits, unless one of them ends earlier. */
const TICK_MS = 1_000;
/** Milliseconds of grace after the deadline, in which the handler can still answer it. */
export const GRACE_MS = 250;

interface Wait {
  /** Milliseconds since the request began. */
  until: number;
  endsWithClient: boolean;
  end: (why: "time" | "client") => void;
}

/**
 * The time limit of one request, shared by everything that works on it. One timer serves every wait of the request: in
 * workerd, setting and clearing a timer takes an eighth of the time of a Durable Object call.
 */
export class Deadline {
  /** Milliseconds that the request was given. */
  readonly ms: number;
  readonly #waits = new Set<Wait>();
  readonly #kept = new Set<Promise<unknown>>();
  #isAbandoned = false;
  /** Milliseconds that had passed when the timer was set, the moment it was set, and its delay. */
  #passed = 0;
  #setAt = performance.now();
  #delay = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number) {
    this.ms = ms;
    this.#setTimer();
  }

  /** Returns the milliseconds that are left; 0 when the time is up. */
  remaining(): number {
    return Math.max(0, this.ms - this.#now());
  }

  /** Does the request's work. Throws RequestOver when the time is up or the client has disconnected. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isAbandoned) throw new RequestOver("client", this.ms);
    return this.#wait(work, this.ms, true);
  }

  /**
   * Does one step of the request, for at most `ms`, even if the client has disconnected. Throws TooLate if the step
   * took too long, and RequestOver if the request did.
   */
  within<T>(ms: number, work: () => Promise<T>): Promise<T> {
    return this.#wait(work, Math.min(this.#now() + ms, this.ms), false);
  }

  /** Waits for the answer of the whole request, slightly longer than any step may take. */
  answer<T>(work: () => Promise<T>): Promise<T> {
    return this.#wait(work, this.ms + GRACE_MS, false);
  }

  /** Does work that must finish even if the client has disconnected. It ends early but records what it did. */
  keep<T>(work: () => Promise<T>): Promise<T> {
    const kept = work();
    this.#kept.add(kept);
    const forget = () => void this.#kept.delete(kept);
    kept.then(forget, forget);
    return kept;
  }

  /** Ends the work because the client has disconnected. Resolves when all kept work has finished. */
  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    for (const wait of this.#waits) if (wait.endsWithClient) wait.end("client");
    await Promise.allSettled(this.#kept);
  }

  async #wait<T>(work: () => Promise<T>, until: number, endsWithClient: boolean): Promise<T> {
    if (until <= this.#now()) throw new RequestOver("time", this.ms);
    let wait: Wait | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        const end: Wait["end"] = (why) =>
          reject(
            why === "client" || until >= this.ms
              ? new RequestOver(why, this.ms)
              : new TooLate("no answer in time"),
          );
        wait = { until, endsWithClient, end };
        this.#waits.add(wait);
        if (this.#timer === undefined || until < this.#passed + this.#delay) this.#setTimer();
        work().then(resolve, reject);
      });
    } finally {
      if (wait !== undefined) this.#waits.delete(wait);
    }
  }

  /**
   * Returns the milliseconds since the request began. workerd's clock may jump, so no more than the timer's delay
   * counts between two timers.
   */
  #now(): number {
    return this.#passed + Math.min(Math.max(performance.now() - this.#setAt, 0), this.#delay);
  }

  #setTimer(): void {
    this.#passed = this.#now();
    this.#setAt = performance.now();
    clearTimeout(this.#timer);
    const next = Math.min(...[...this.#waits].map(({ until }) => until - this.#passed));
    this.#delay = Math.ceil(Math.max(1, Math.min(TICK_MS, next)));
    this.#timer = setTimeout(() => this.#ring(), this.#delay);
  }

  #ring(): void {
    this.#timer = undefined;
    // A timer may be late by the time that another request computed. More than one tick is a jump of the clock.
    const late = performance.now() - this.#setAt - this.#delay;
    this.#passed += this.#delay + Math.min(Math.max(late, 0), TICK_MS);
    this.#setAt = performance.now();
    this.#delay = 0;
    for (const wait of this.#waits) {
      if (wait.until > this.#passed) continue;
      // The next timer is set before the wait itself hears of its end, and must not be set for it once more.
      this.#waits.delete(wait);
      wait.end("time");
    }
    if (this.#passed < this.ms + GRACE_MS) this.#setTimer();
  }
}

const throwLate = (): never => {
  throw new TooLate("no answer in time");
};

/**
 * Returns the result of `work`, or that of `late` if work takes longer than `ms`; `late` may throw. For steps that
 * belong to no request.
 */
export async function within<T>(ms: number, work: () => Promise<T>, late: () => T = throwLate): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<T>((resolve, reject) => {
      timer = setTimeout(() => {
        try {
          resolve(late());
        } catch (error) {
          reject(error);
        }
      }, ms);
      work().then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
  }
}
