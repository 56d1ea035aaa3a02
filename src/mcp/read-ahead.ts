import type { CallContext } from "../call-context.ts";
import type { Outcome } from "../refusal.ts";
import type { Work } from "./call.ts";

interface BegunRead<T> {
  /** The monotonic clock's time when it began. */
  startedAt: number;
  answer: Promise<Outcome<T>>;
}

/** A read that may begin before its call is admitted. Its answer may be used only if the call is. */
export class ReadAhead<T> {
  readonly #run: Work<T>;
  readonly #context: CallContext;
  #begun: BegunRead<T> | undefined;

  constructor(run: Work<T>, context: CallContext) {
    this.#run = run;
    this.#context = context;
  }

  get begun(): BegunRead<T> | undefined {
    return this.#begun;
  }

  /** If the call is refused, nobody waits for the read, and nobody hears of a failure. */
  begin(): void {
    const startedAt = performance.now();
    const answer = (async () => this.#run(this.#context))();
    answer.catch(() => undefined);
    this.#begun = { startedAt, answer };
  }
}
