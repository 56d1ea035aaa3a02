import type { CallContext } from "../call-context.ts";
import type { Outcome } from "../refusal.ts";
import type { Work } from "./call.ts";

/** A read that runs before its call was admitted. Its answer may be used only if the call is. */
export interface ReadAhead<T> {
  /** The monotonic clock's time when it began. */
  startedAt: number;
  answer: Promise<Outcome<T>>;
}

/** Begins a read. If its call is refused, nobody waits for it, and nobody hears of a failure. */
export function beginRead<T>(run: Work<T>, context: CallContext): ReadAhead<T> {
  const startedAt = performance.now();
  const answer = (async () => run(context))();
  answer.catch(() => undefined);
  return { startedAt, answer };
}
