/** The most that one wake of an object uses. */
export interface Allowance {
  /** Statements sent to D1. */
  statements: number;
  /** Bytes of the file that are read. */
  bytes: number;
}

/**
 * Divides work that takes long into wakes. The work asks before each step; once a wake's allowance is used up it waits for the
 * next wake. A step may overdraw the allowance, and the next one waits.
 */
export class Pace {
  readonly #each: Allowance;
  #left: Allowance = { statements: 0, bytes: 0 };
  #waiting: { resume: () => void; stop: (error: Error) => void }[] = [];
  #running = 0;
  #onStill = () => {};
  #stopped: Error | undefined;

  constructor(each: Allowance) {
    this.#each = each;
  }

  /** Waits until the step may be made. Throws once the work was stopped. */
  async take(kind: keyof Allowance, amount: number): Promise<void> {
    while (this.#left[kind] <= 0 && this.#stopped === undefined) {
      const next = new Promise<void>((resume, stop) => this.#waiting.push({ resume, stop }));
      this.#check();
      await next;
    }
    if (this.#stopped !== undefined) throw this.#stopped;
    this.#left[kind] -= amount;
  }

  /** Runs a step that another server answers. The wake lasts until it has. */
  async run<T>(kind: keyof Allowance, amount: number, step: () => Promise<T>): Promise<T> {
    await this.take(kind, amount);
    this.#running++;
    try {
      return await step();
    } finally {
      this.#running--;
      // The step's caller goes on first, and may ask for more.
      setTimeout(() => this.#check());
    }
  }

  /** Lets the work go on for one wake. Resolves when it waits for the next one. */
  wake(): Promise<void> {
    this.#left = { ...this.#each };
    const still = new Promise<void>((resolve) => (this.#onStill = resolve));
    for (const { resume } of this.#waiting.splice(0)) resume();
    return still;
  }

  /** Makes the work throw at its next step. */
  stop(error: Error): void {
    this.#stopped = error;
    for (const { stop } of this.#waiting.splice(0)) stop(error);
  }

  #check(): void {
    if (this.#waiting.length > 0 && this.#running === 0) this.#onStill();
  }
}
