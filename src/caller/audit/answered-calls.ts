import type { Attempt, AuditRecord, Outcome } from "./records.ts";

/** Records that one anchor folds. There are fewer between two anchors, unless D1 was out of reach for an hour. */
const FOLDED_MAX = 10_000;

/** A call whose answer was given. */
export interface AnsweredCall {
  attempt: Attempt;
  outcome: Outcome;
}

/** Pairs outcomes with their attempts. `attemptOf` finds the attempt of an outcome whose attempt is not among the records. */
export function* answeredCalls(
  records: Iterable<AuditRecord>,
  attemptOf: (seq: number) => Attempt | undefined,
): Generator<AnsweredCall> {
  const attempts = new Map<number, Attempt>();
  let left = FOLDED_MAX;
  for (const record of records) {
    if (left-- <= 0) break;
    if (record.kind === "attempt") attempts.set(record.seq, record);
    if (record.kind !== "outcome") continue;
    const attempt = attempts.get(record.attempt) ?? attemptOf(record.attempt);
    attempts.delete(record.attempt);
    if (attempt !== undefined && record.outcome === "ok" && record.withheld === null)
      yield { attempt, outcome: record };
  }
}
