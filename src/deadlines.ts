/** What was waited for did not come in time. */
class TooLate extends Error {
  override name = "TooLate";
}

const throwLate = (): never => {
  throw new TooLate("no answer in time");
};

/**
 * Waits of one call, each with a limit of its own and all on one timer: setting and clearing a timer takes workerd as long
 * as an eighth of an object call. One wait at a time. Whoever makes one disposes of it, with `using`.
 */
export class Deadlines {
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Milliseconds that the timer was set for. */
  #delay = 0;
  /** Undefined between two waits. */
  #wait: { ms: number; overAt: number; giveUp: () => void } | undefined;
  /** The wait that the timer was set for is the one that goes on. */
  #isItsOwn = false;

  /** What `work` comes to; where that takes longer than `ms`, what `late` gives or throws. */
  async within<T>(ms: number, work: () => Promise<T>, late: () => T = throwLate): Promise<T> {
    if (this.#wait !== undefined) throw new Error("There is a wait that goes on.");
    try {
      return await new Promise<T>((resolve, reject) => {
        const giveUp = () => {
          try {
            resolve(late());
          } catch (error) {
            reject(error);
          }
        };
        this.#wait = { ms, overAt: performance.now() + ms, giveUp };
        this.#isItsOwn = false;
        // A timer that rings earlier finds out how much is left.
        if (this.#timer === undefined || this.#delay > ms) this.#set(ms);
        work().then(resolve, reject);
      });
    } finally {
      this.#wait = undefined;
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #set(ms: number): void {
    clearTimeout(this.#timer);
    this.#delay = ms;
    this.#isItsOwn = true;
    this.#timer = setTimeout(() => this.#ring(), ms);
  }

  #ring(): void {
    this.#timer = undefined;
    const wait = this.#wait;
    if (wait === undefined) return;
    // In workerd performance.now() is the machine's clock, which may jump: it says how much is left of what is possible.
    const least = wait.ms - this.#delay;
    const left = this.#isItsOwn ? 0 : Math.min(Math.max(wait.overAt - performance.now(), least), wait.ms);
    if (left > 0) this.#set(Math.ceil(left));
    else wait.giveUp();
  }
}

/** One wait alone. */
export async function within<T>(ms: number, work: () => Promise<T>, late?: () => T): Promise<T> {
  using deadlines = new Deadlines();
  return await deadlines.within(ms, work, late);
}
