import type { CallContext } from "../call-context.ts";
import type { Admission } from "../guard/guarded-call.ts";
import type { Outcome } from "../refusal.ts";
import type { Work } from "./call.ts";

/** A read that runs before its call was admitted. Its answer may be used only if the call is. */
export interface ReadAhead<T> {
  /** The monotonic clock's time when it began. */
  startedAt: number;
  answer: Promise<Outcome<T>>;
}

/**
 * Begins a read. If its call is refused, nobody waits for it, and nobody hears of a failure. Agents' profiles are fetched only
 * after the admission, because the caller chooses where they are.
 */
export function beginRead<T>(run: Work<T>, context: CallContext, deciding: Promise<Admission>): ReadAhead<T> {
  const startedAt = performance.now();
  const agents: CallContext["agents"] = {
    async negotiate(...asked) {
      const admission = await deciding;
      return admission.ok ? context.agents.negotiate(...asked) : admission;
    },
  };
  const answer = (async () => run({ ...context, agents }))();
  answer.catch(() => undefined);
  return { startedAt, answer };
}
