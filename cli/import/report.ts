import { toMoney } from "../../src/catalog/money.ts";
import { plainLine } from "../../src/text/plain-text.ts";
import type { ImportReport } from "../../src/catalog/import/import-catalog.ts";
import type { Notes } from "../../src/catalog/import/read/notes.ts";
import type { Screening } from "../../src/catalog/import/read/screen.ts";
import type { Comparison } from "../../src/catalog/import/comparison.ts";
import type { PriceJump } from "../../src/catalog/import/target.ts";

export interface Outcome {
  report: ImportReport;
  notes: Notes;
  screening: Screening;
  /** The first products as a shopper will see them. */
  examples: readonly string[];
}

export interface ReportFlags {
  json?: boolean;
  dryRun?: boolean;
  strict?: boolean;
  removeMissing?: boolean;
}

/** Prints an import's report on standard output; returns the exit code. */
export function printReport({ report, notes, screening, examples }: Outcome, flags: ReportFlags): number {
  const { rows, bad, good, comparison, resumedAfter, priceJumps } = report;
  if (flags.json === true) {
    console.log(JSON.stringify({ ...report, notes, suspicious: suspects(screening), examples }));
    if (!good) console.error(whyNothing(report, flags));
    return good ? 0 : 1;
  }
  if (resumedAfter > 0)
    console.error(`Resumed after ${count(resumedAfter, "product")}, where an earlier run stopped.`);
  for (const sentence of notes.sentences()) console.log(sentence);
  printSuspects(suspects(screening));
  const what = good ? count(rows, "product") : "nothing";
  console.log(
    `${flags.dryRun === true ? "Would import" : "Imported"} ${what}${bad > 0 ? `; ${count(bad, "bad row")}` : ""}.`,
  );
  if (comparison !== undefined && good) {
    const { added, changed, unchanged, missing } = comparison;
    console.log(`${number(added)} new, ${number(changed)} changed, ${number(unchanged)} unchanged.`);
    const fate =
      flags.removeMissing === true ? "discontinued" : "unchanged (add --remove-missing to discontinue them)";
    if (missing > 0) console.log(`${count(missing, "active product")} that the file lacks: ${fate}.`);
  }
  if (priceJumps !== undefined && comparison !== undefined) console.log(sayJumps(priceJumps, comparison));
  if (!good) console.log(whyNothing(report, flags));
  return good ? 0 : 1;
}

/** Products with such a text that are printed. */
const SUSPECTS_SHOWN = 20;

const suspects = ({ found, ...screening }: Screening) => ({
  ...screening,
  shown: found.slice(0, SUSPECTS_SHOWN).map(({ line, sku }) => ({ line, sku })),
});

function printSuspects({ count: found, shown, quarantined }: ReturnType<typeof suspects>): void {
  if (found === 0) return;
  const places = shown.map(({ line, sku }) => `${plainLine(sku)} (line ${line})`).join(", ");
  const fate = quarantined ? "They were kept out" : "They are imported; --quarantine keeps them out";
  console.log(
    `${count(found, "product")} with text that reads like an instruction to an AI model: ${places}${found > shown.length ? ", …" : ""}. ${fate}.`,
  );
}

function sayJumps(
  first: readonly PriceJump[],
  { changed, unchanged, price_jumps: jumps }: Comparison,
): string {
  const examples = first.map(
    ({ sku, currency, before, after }) =>
      `  ${plainLine(sku)}: ${toMoney(before, currency).formatted} becomes ${toMoney(after, currency).formatted}`,
  );
  return [
    `${number(jumps)} of ${count(changed + unchanged, "price")} change by more than five times:`,
    ...examples,
  ].join("\n");
}

function whyNothing({ rows, bad, priceJumps }: ImportReport, { strict, removeMissing }: ReportFlags): string {
  if (priceJumps !== undefined)
    return "Nothing was imported, because so many prices changing so much looks like a wrong unit or currency. Add --yes if they are right.";
  if (rows > 0 && (strict === true || removeMissing === true))
    return strict === true
      ? "Nothing was imported, because the file has bad rows. Fix them, or leave out --strict."
      : "Nothing was imported: with bad rows, --remove-missing would discontinue the products in them. Fix the rows, or leave it out.";
  return bad > 0
    ? "The file has no valid row. Check --from, --delimiter and --map."
    : "The file has no rows.";
}

const number = (value: number) => value.toLocaleString("en");

const count = (value: number, noun: string) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
