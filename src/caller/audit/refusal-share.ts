import { HOUR } from "../../detection/window.ts";
import { isRefusalCode } from "../../refusal.ts";
import { statusOf } from "../../telemetry/call-record.ts";
import type { CallerState } from "../state.ts";
import { ADMITTED, type AuditRecord, type Outcome } from "./records.ts";

/** The latest calls of a caller, those of the last hour at most, and how many of them were refused. */
export interface Refusals {
  calls: number;
  refused: number;
}

/** Fewer calls than these say nothing about a caller. */
const CALLS_MIN = 5;

export const isMostlyRefused = ({ calls, refused }: Refusals): boolean =>
  calls >= CALLS_MIN && refused * 2 > calls;

/**
 * Counts as the metrics do: a call that ended in a code of the caller's own doing is refused too, and lists and handshakes
 * are no calls. Repeated calls are a count in a record, or in a run that is not over yet.
 */
export function refusalsIn(
  records: readonly AuditRecord[],
  runs: CallerState["log"]["runs"],
  now: number,
): Refusals {
  const since = now - HOUR;
  const refusedLater = new Set(
    records.flatMap((record) => (record.kind === "outcome" && isRefused(record) ? [record.attempt] : [])),
  );
  let [calls, refused] = [0, 0];
  const count = (decision: string, more: number) => {
    calls += more;
    if (decision !== ADMITTED) refused += more;
  };
  for (const record of records) {
    if (record.at < since) continue;
    if (record.kind === "attempt" && record.bucket === "calls") {
      count(record.decision, 1);
      if (refusedLater.has(record.seq)) refused += 1;
    } else if (record.kind === "repeats" && record.bucket === "calls") count(record.decision, record.count);
  }
  for (const run of runs.values())
    if (run.lastAt >= since && run.bucket === "calls") count(run.decision, run.count);
  return { calls, refused };
}

const isRefused = ({ outcome, withheld }: Outcome): boolean =>
  withheld !== null || (isRefusalCode(outcome) && statusOf(outcome) === "refused");
