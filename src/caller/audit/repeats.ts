import { strictest } from "../../detection/decision.ts";
import { type Charges, addCharge, listCharges, noCharges } from "../rate/sliding-window.ts";
import { BATCH_MAX } from "../admission.ts";
import { ADMITTED, type Attempt, type Bucket, type Repeats } from "./records.ts";

// A flood of refusals or of discovery calls must cost nothing to store. The first of a kind in a window has a record; the
// others are counted, and the count becomes one record when the window is over.

/** A run of refusals of one code, or of discovery calls of one method: the first has a record, the others are counted here. */
export interface Run {
  of: number;
  decision: string;
  bucket: Bucket;
  /** When it is closed. */
  until: number;
  count: number;
  lastAt: number;
  charges: Charges;
  /** Marks of the calls counted last (src/caller/retries/recent-calls.ts). */
  calls?: string[] | undefined;
}

/** Calls named in a run: those that may be sent again because their answer was lost, which are a whole batch at the most. */
const CALLS_NAMED = BATCH_MAX;

type Counted = Pick<Attempt, "bucket" | "decision" | "hits" | "name">;

/** Discovery reads no data, so a count of admitted calls tells all that their records would. */
export const isFoldable = ({ target, flow }: Pick<Attempt, "target" | "flow">): boolean =>
  target === "discovery" && flow === null;

/** Refusals by a flow rule are told apart by the rule: each must leave a record of what it saw. */
export function runKey({ bucket, decision, hits, name }: Counted): string {
  if (decision === ADMITTED) return [bucket, decision, name].join(" ");
  const enforced = hits.filter(({ mode }) => mode === "enforce");
  // The rule that refused, which need not be the first that spoke: others may only have flagged.
  const verdict = strictest(enforced.map((hit) => hit.verdict));
  return [bucket, decision, enforced.find((hit) => hit.verdict === verdict)?.rule ?? ""].join(" ");
}

export function openRun(
  of: number,
  { bucket, decision }: Pick<Counted, "bucket" | "decision">,
  until: number,
): Run {
  return { of, decision, bucket, until, count: 0, lastAt: 0, charges: noCharges() };
}

/**
 * Counts one more; `weight` is 0 where it is not charged. Says whether the run has to be stored now, and not a moment later
 * with others: always after a charge, because the rate window is rebuilt from it, and whenever the bare count has doubled, so
 * that a crash loses less than half of it.
 */
export function countOne(run: Run, weight: number, now: number, call: string): boolean {
  run.count += 1;
  run.calls = [...(run.calls ?? []), call].slice(-CALLS_NAMED);
  run.lastAt = now;
  if (weight > 0) addCharge(run.charges, weight, now);
  return weight > 0 || Number.isInteger(Math.log2(run.count));
}

/** The run as the audit keeps it; undefined if the first call stayed the only one. */
export function closeRun(run: Run): Omit<Repeats, "seq" | "at"> | undefined {
  if (run.count === 0) return undefined;
  return {
    kind: "repeats",
    of: run.of,
    decision: run.decision,
    bucket: run.bucket,
    count: run.count,
    last_at: run.lastAt,
    charges: listCharges(run.charges).map(({ at, weight }) => [at, weight]),
  };
}
