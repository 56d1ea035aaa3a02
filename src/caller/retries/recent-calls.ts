import { createHash } from "node:crypto";
import { type AdmissionAnswer, BATCH_MAX } from "../admission.ts";
import type { Attempt } from "../audit/records.ts";
import type { OpenRepeats } from "../audit/repeats.ts";
import type { Store } from "../store.ts";

/** Answers kept in memory: a whole batch, and a caller's other calls in flight. */
const KEPT = BATCH_MAX + 64;
/** A client that lost an answer retries well within this time. */
const RETRY_MS = 60_000;

type Named = Pick<Attempt, "name" | "correlation_id">;

/** Names one call of one request. */
export const callName = ({ name, correlation_id }: Named): string => `${correlation_id} ${name}`;

/** A call name in 48 bits, because counted repeats keep the marks of a whole batch. */
export const callMark = (call: Named): string =>
  createHash("sha256").update(callName(call)).digest("base64url").slice(0, 8);

/**
 * The most recent decisions, so that a retry after a lost answer is neither charged nor recorded again. After an eviction
 * they are read back from the records and the counted repeats.
 */
export class RecentCalls {
  readonly #store: Store;
  readonly #openRepeats: ReadonlyMap<string, OpenRepeats>;
  readonly #answers = new Map<string, AdmissionAnswer>();
  /** Maps the names of calls decided before the last eviction to the record with the decision. */
  #recorded: Map<string, number> | undefined;
  #readAt = 0;

  constructor(store: Store, openRepeats: ReadonlyMap<string, OpenRepeats>) {
    this.#store = store;
    this.#openRepeats = openRepeats;
  }

  /** Returns the call's answer, or the number of the attempt that holds it; undefined for a new call. */
  find(call: Named, now: number): AdmissionAnswer | number | undefined {
    const name = callName(call);
    const answer = this.#answers.get(name);
    if (answer !== undefined) return answer;
    const recorded = this.#readBack(now);
    // An earlier release stored whole names instead of marks.
    return recorded.size === 0 ? undefined : (recorded.get(name) ?? recorded.get(callMark(call)));
  }

  note(call: Named, answer: AdmissionAnswer): AdmissionAnswer {
    this.#answers.set(callName(call), answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > KEPT && oldest !== undefined) this.#answers.delete(oldest);
    return answer;
  }

  #readBack(now: number): ReadonlyMap<string, number> {
    if (this.#recorded === undefined) {
      this.#readAt = now;
      this.#recorded = new Map(
        this.#store.attemptsSince(now - RETRY_MS).map((attempt) => [callName(attempt), attempt.seq]),
      );
      for (const { of, calls = [] } of this.#openRepeats.values())
        for (const name of calls) this.#recorded.set(name, of);
    } else if (this.#recorded.size > 0 && now - this.#readAt > RETRY_MS) {
      this.#recorded.clear();
    }
    return this.#recorded;
  }
}
