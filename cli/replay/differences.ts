import { plural } from "../../src/web/admin/units.ts";
import type { Replayed } from "./replay.ts";
import { plainTable } from "../table.ts";

/** Prints the records that two policies decide differently, and how many were compared. */
export function differencesTable(
  changed: readonly { before: Replayed; after: Replayed }[],
  compared: number,
): string {
  const said = `${changed.length} of ${plural(compared, "record")} would change`;
  if (changed.length === 0) return said;
  const table = plainTable(["record", "verdict", "new verdict", "new rules", "rate limited"]);
  for (const { before, after } of changed) {
    const limited = `${before.rate_limited ?? 0}, then ${after.rate_limited ?? 0}`;
    table.push([before.id, verdictOf(before), verdictOf(after), after.rules.join(", "), limited]);
  }
  return `${table.toString()}\n${said}`;
}

const verdictOf = ({ action, enforced_at, subjects_before }: Replayed): string =>
  enforced_at === null
    ? action
    : `${action} at ${enforced_at}, ${plural(subjects_before, "person", "people")}`;
