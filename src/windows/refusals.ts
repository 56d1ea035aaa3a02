import { HOUR } from "../flow/window.ts";
import type { Parts } from "./parts.ts";
import { ADMITTED, type AuditRecord } from "./records.ts";

/** Calls of a caller in the last hour, as far as its newest records tell, and how many of them were refused. */
export interface Refusals {
  calls: number;
  refused: number;
}

/** Fewer calls than these say nothing about a caller. */
const CALLS_MIN = 5;

export const isMostlyRefused = ({ calls, refused }: Refusals): boolean =>
  calls >= CALLS_MIN && refused * 2 > calls;

/** Repeated calls are a count in a record, or in a run that is not over yet. A withheld answer is a refusal too. */
export function refusalsIn(
  records: readonly AuditRecord[],
  runs: Parts["log"]["runs"],
  now: number,
): Refusals {
  const since = now - HOUR;
  let [calls, refused] = [0, 0];
  for (const record of records) {
    if (record.at < since) continue;
    if (record.kind === "attempt") {
      calls += 1;
      if (record.decision !== ADMITTED) refused += 1;
    } else if (record.kind === "repeats") {
      calls += record.count;
      if (record.decision !== ADMITTED) refused += record.count;
    } else if (record.kind === "outcome" && record.withheld !== null) refused += 1;
  }
  for (const { count, lastAt, decision } of runs.values()) {
    if (lastAt < since) continue;
    calls += count;
    if (decision !== ADMITTED) refused += count;
  }
  return { calls, refused };
}
