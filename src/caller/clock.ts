/** An object's clock: never before what is stored, however the machine's is set. */
export class Clock {
  #last: number;

  /** `latest`: the last moment that is stored. */
  constructor(latest: number) {
    this.#last = latest;
  }

  now(): number {
    this.#last = Math.max(this.#last, Date.now());
    return this.#last;
  }
}
