import { strictest } from "../../detection/decision.ts";
import { type Charges, addCharge, listCharges, noCharges } from "../rate/sliding-window.ts";
import { BATCH_MAX } from "../admission.ts";
import { ADMITTED, type Attempt, type Bucket, type Repeats } from "./records.ts";

// A flood of refusals or discovery calls must cost nothing to store. The first of a kind in a window has its own record;
// later ones are only counted, and the count becomes one record when the window ends.

/** Counts refusals of one code, or discovery calls of one method, after the first, which has its own record. */
export interface OpenRepeats {
  of: number;
  decision: string;
  bucket: Bucket;
  /** When the window ends and the record is written. */
  until: number;
  count: number;
  lastAt: number;
  charges: Charges;
  /** Marks of the calls counted last (src/caller/retries/recent-calls.ts), for retries. */
  calls?: string[] | undefined;
}

/** Marks kept: a whole batch, which is the most that may be retried. */
const CALLS_NAMED = BATCH_MAX;

type Counted = Pick<Attempt, "bucket" | "decision" | "hits" | "name">;

/** Discovery reads no data, so a count of admitted calls is as good as their records. */
export const isFoldable = ({ target, flow }: Pick<Attempt, "target" | "flow">): boolean =>
  target === "discovery" && flow === null;

/**
 * Returns the key of an attempt's kind. Refusals by different flow rules are different kinds: each must leave a record of its
 * observation.
 */
export function repeatsKey({ bucket, decision, hits, name }: Counted): string {
  if (decision === ADMITTED) return [bucket, decision, name].join(" ");
  const enforced = hits.filter(({ mode }) => mode === "enforce");
  // The rule that refused need not be the first that matched: others may only have flagged.
  const verdict = strictest(enforced.map((hit) => hit.verdict));
  return [bucket, decision, enforced.find((hit) => hit.verdict === verdict)?.rule ?? ""].join(" ");
}

export function startRepeats(
  of: number,
  { bucket, decision }: Pick<Counted, "bucket" | "decision">,
  until: number,
): OpenRepeats {
  return { of, decision, bucket, until, count: 0, lastAt: 0, charges: noCharges() };
}

/**
 * Counts one more; `weight` is 0 if it is not charged. Returns whether the count must be stored now instead of a moment
 * later: always after a charge, because the rate window is rebuilt from it, and whenever the bare count has doubled, so that
 * a crash loses less than half of it.
 */
export function countOne(repeats: OpenRepeats, weight: number, now: number, call: string): boolean {
  repeats.count += 1;
  repeats.calls = [...(repeats.calls ?? []), call].slice(-CALLS_NAMED);
  repeats.lastAt = now;
  if (weight > 0) addCharge(repeats.charges, weight, now);
  return weight > 0 || Number.isInteger(Math.log2(repeats.count));
}

/** Returns the record of the repeats; undefined if the first call was the only one. */
export function repeatsRecord(repeats: OpenRepeats): Omit<Repeats, "seq" | "at"> | undefined {
  if (repeats.count === 0) return undefined;
  return {
    kind: "repeats",
    of: repeats.of,
    decision: repeats.decision,
    bucket: repeats.bucket,
    count: repeats.count,
    last_at: repeats.lastAt,
    charges: listCharges(repeats.charges).map(({ at, weight }) => [at, weight]),
  };
}
