import type { Details } from "./replay.ts";
import { wilson95 } from "./wilson.ts";
import { plainTable } from "../table.ts";

export interface Outcome extends Details {
  label: string;
  family: string;
}

/** The results of one family of records. */
export interface FamilyRow {
  label: string;
  family: string;
  traces: number;
  enforced: number;
  /** Confidence interval of the enforced share. */
  ci95: [number, number];
  flagged: number;
  /** The largest count, and the median. */
  subjects_before: { max: number; median: number };
  objects_before: { max: number; median: number };
  /** Rules that gave a verdict, with the number of records; rules in shadow mode are in brackets. */
  rules: string[];
}

export function summarize(outcomes: readonly Outcome[]): FamilyRow[] {
  const families = Map.groupBy(outcomes, ({ label, family }) => `${label} ${family}`);
  return [...families]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, rows]) => {
      const [first] = rows;
      if (first === undefined) return [];
      const enforced = rows.filter(({ enforced_at }) => enforced_at !== null).length;
      return [
        {
          label: first.label,
          family: first.family,
          traces: rows.length,
          enforced,
          ci95: wilson95(enforced, rows.length),
          flagged: rows.filter(({ action }) => action === "flag").length,
          subjects_before: spread(rows.map((row) => row.subjects_before)),
          objects_before: spread(rows.map((row) => row.objects_before)),
          rules: [
            ...counted(rows.flatMap((row) => row.rules)),
            ...counted(rows.flatMap((row) => row.shadow)).map((rule) => `(${rule})`),
          ],
        },
      ];
    });
}

export const microsecondsPerCall = (outcomes: readonly Outcome[]): number => {
  const calls = outcomes.reduce((sum, row) => sum + row.calls, 0);
  return calls === 0 ? 0 : outcomes.reduce((sum, row) => sum + row.us, 0) / calls;
};

export function summaryTable(rows: readonly FamilyRow[]): string {
  const table = plainTable(["", "family", "enforced", "ci95 %", "people before", "products before", "rules"]);
  for (const row of rows) {
    table.push([
      row.label,
      row.family,
      `${row.enforced} of ${row.traces}`,
      row.ci95.map(percent).join("-"),
      `${row.subjects_before.median}, max ${row.subjects_before.max}`,
      `${row.objects_before.median}, max ${row.objects_before.max}`,
      row.rules.join(", "),
    ]);
  }
  return table.toString();
}

const percent = (share: number) => (share * 100).toFixed(1);

function spread(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  return { max: sorted.at(-1) ?? 0, median: sorted[Math.floor(sorted.length / 2)] ?? 0 };
}

const counted = (names: readonly string[]): string[] =>
  [...Map.groupBy(names, (name) => name)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([name, all]) => `${name} ${all.length}`);
