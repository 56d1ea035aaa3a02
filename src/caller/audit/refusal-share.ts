import { HOUR } from "../../detection/window.ts";
import { isRefusalCode } from "../../refusal-codes.ts";
import { statusOf } from "../../telemetry/call-record.ts";
import type { CallerState } from "../state.ts";
import { ADMITTED, type AuditRecord, type Outcome } from "./records.ts";

/** A caller's latest calls, from the last hour at most, and how many of them were refused. */
export interface Refusals {
  calls: number;
  refused: number;
}

/** Too few calls to say anything about a caller. */
const CALLS_MIN = 5;

export const isMostlyRefused = ({ calls, refused }: Refusals): boolean =>
  calls >= CALLS_MIN && refused * 2 > calls;

/**
 * Counts like the metrics: a call that ended in an error of the caller's own is refused, and lists and handshakes are not
 * calls. Repeated calls are counts, in a record or in open repeats.
 */
export function refusalsIn(
  records: readonly AuditRecord[],
  openRepeats: CallerState["log"]["openRepeats"],
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
  for (const repeats of openRepeats.values())
    if (repeats.lastAt >= since && repeats.bucket === "calls") count(repeats.decision, repeats.count);
  return { calls, refused };
}

const isRefused = ({ outcome, withheld }: Outcome): boolean =>
  withheld !== null || (isRefusalCode(outcome) && statusOf(outcome) === "refused");
