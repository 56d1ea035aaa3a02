/** What was waited for did not come in time. */
class TooLate extends Error {
  override name = "TooLate";
}

const throwLate = (): never => {
  throw new TooLate("no answer in time");
};

/**
 * Waits of one call, one behind the other, each with a limit of its own and all on one timer: setting and clearing a timer
 * takes workerd as long as an eighth of an object call. Whoever makes one disposes of it, with `using`.
 */
export class Deadlines {
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** By performance.now(), which no one sets back. */
  #ringsAt = 0;
  #overAt = 0;
  #giveUp: (() => void) | undefined;

  /** What `work` comes to; where that takes longer than `ms`, what `late` gives or throws. */
  within<T>(ms: number, work: () => Promise<T>, late: () => T = throwLate): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#overAt = performance.now() + ms;
      this.#giveUp = () => {
        try {
          resolve(late());
        } catch (error) {
          reject(error);
        }
      };
      this.#arm(ms);
      work().then(resolve, reject);
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#giveUp = undefined;
  }

  #arm(ms: number): void {
    // A timer that rings earlier finds out how much is left.
    if (this.#timer !== undefined && this.#ringsAt <= this.#overAt) return;
    clearTimeout(this.#timer);
    this.#ringsAt = this.#overAt;
    this.#timer = setTimeout(() => this.#ring(), ms);
  }

  #ring(): void {
    this.#timer = undefined;
    const left = this.#overAt - performance.now();
    if (left > 0) this.#arm(Math.ceil(left));
    else this.#giveUp?.();
  }
}

/** One wait alone. */
export async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  using deadlines = new Deadlines();
  return await deadlines.within(ms, work);
}
