import { plural } from "../../src/web/admin/units.ts";
import { plainTable } from "../table.ts";
import type { Replay, Replayed } from "./replay.ts";
import { wilson95 } from "./wilson.ts";

export interface Outcome extends Replay {
  label: string;
  family: string;
}

/** Returns the results of each family of records. */
export const summarize = (outcomes: readonly Outcome[]) =>
  [...Map.groupBy(outcomes, ({ label, family }) => `${label} ${family}`)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, rows]) => {
      const lines = rows.map(({ line }) => line);
      const enforced = lines.filter(({ enforced_at }) => enforced_at !== null).length;
      return {
        label: rows[0]?.label ?? "",
        family: rows[0]?.family ?? "",
        traces: rows.length,
        enforced,
        /** Confidence interval of the enforced share. */
        ci95: wilson95(enforced, rows.length),
        flagged: lines.filter(({ action }) => action === "flag").length,
        subjects_before: spread(lines.map((line) => line.subjects_before)),
        objects_before: spread(lines.map((line) => line.objects_before)),
        /** Rules that gave a verdict, with the number of records; rules in shadow mode are in brackets. */
        rules: [
          ...counted(lines.flatMap((line) => line.rules)),
          ...counted(rows.flatMap(({ shadow }) => shadow)).map((rule) => `(${rule})`),
        ],
      };
    });

export const microsecondsPerCall = (outcomes: readonly Outcome[]): number =>
  outcomes.reduce((sum, { us }) => sum + us, 0) / (outcomes.reduce((sum, row) => sum + row.calls, 0) || 1);

export function summaryTable(rows: ReturnType<typeof summarize>): string {
  const table = plainTable(["", "family", "enforced", "ci95 %", "people before", "products before", "rules"]);
  for (const { label, family, enforced, traces, ci95, rules, ...row } of rows) {
    const [people, products] = [row.subjects_before, row.objects_before].map(
      ({ median, max }) => `${median}, max ${max}`,
    );
    const interval = ci95.map((share) => (share * 100).toFixed(1)).join("-");
    table.push([label, family, `${enforced} of ${traces}`, interval, people, products, rules.join(", ")]);
  }
  return table.toString();
}

function spread(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  return { max: sorted.at(-1) ?? 0, median: sorted[Math.floor(sorted.length / 2)] ?? 0 };
}

const counted = (names: readonly string[]): string[] =>
  [...Map.groupBy(names, (name) => name)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([name, all]) => `${name} ${all.length}`);

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
