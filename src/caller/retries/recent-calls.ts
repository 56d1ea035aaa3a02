import { createHash } from "node:crypto";
import { type AdmissionAnswer, BATCH_MAX } from "../admission.ts";
import type { Attempt } from "../audit/records.ts";
import type { Run } from "../audit/repeats.ts";
import type { Store } from "../store.ts";

/** Answers in memory: those of a whole batch, and of what a caller has in flight beside it, as a rule. */
const KEPT = BATCH_MAX + 64;
/** A request whose answer was lost is sent again well within this. */
const RETRY_MS = 60_000;

type Named = Pick<Attempt, "name" | "correlation_id">;

/** Names one call of one request. */
export const callName = ({ name, correlation_id }: Named): string => `${correlation_id} ${name}`;

/** A call name in 48 bits, as a run of refusals keeps a whole batch of them. */
export const callMark = (call: Named): string =>
  createHash("sha256").update(callName(call)).digest("base64url").slice(0, 8);

/**
 * The calls that were decided last, so that one which is sent again, because its answer was lost, is neither charged nor
 * recorded a second time. What memory has lost is read back from the records and from the runs of refusals.
 */
export class RecentCalls {
  readonly #store: Store;
  readonly #runs: ReadonlyMap<string, Run>;
  readonly #answers = new Map<string, AdmissionAnswer>();
  /** By call name, the record that says how a call was decided before the object came back to memory. */
  #recorded: Map<string, number> | undefined;
  #readAt = 0;

  constructor(store: Store, runs: ReadonlyMap<string, Run>) {
    this.#store = store;
    this.#runs = runs;
  }

  /** How a call was decided: the answer itself, or the number of the attempt that tells it. Undefined for a new call. */
  find(call: Named, now: number): AdmissionAnswer | number | undefined {
    const name = callName(call);
    const answer = this.#answers.get(name);
    if (answer !== undefined) return answer;
    const recorded = this.#readBack(now);
    // An earlier release has stored names in its runs.
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
      for (const { of, calls = [] } of this.#runs.values())
        for (const name of calls) this.#recorded.set(name, of);
    } else if (this.#recorded.size > 0 && now - this.#readAt > RETRY_MS) {
      this.#recorded.clear();
    }
    return this.#recorded;
  }
}
