/** An object's clock, which never runs behind the latest stored time, even if the machine's clock is set back. */
export class Clock {
  #last: number;

  /** `latest`: the latest stored time. */
  constructor(latest: number) {
    this.#last = latest;
  }

  now(): number {
    this.#last = Math.max(this.#last, Date.now());
    return this.#last;
  }
}
