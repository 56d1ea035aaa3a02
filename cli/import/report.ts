import { toMoney } from "../../src/catalog/money.ts";
import { plainLine } from "../../src/text/plain-text.ts";
import type { ImportReport } from "../../src/catalog/import/import-catalog.ts";
import { type Notes, withFlag } from "../../src/catalog/import/read/notes.ts";
import type { Screening } from "../../src/catalog/import/read/screen.ts";
import type { Comparison } from "../../src/catalog/import/comparison.ts";

export interface Outcome {
  report: ImportReport;
  /** The first bad rows. A line is the number of a product where the file is JSON. */
  badRows: readonly { line: number; problem: string }[];
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
export function printReport(outcome: Outcome, flags: ReportFlags): number {
  const { report, notes, screening } = outcome;
  const { rows, bad, good, comparison, resumedAfter } = report;
  if (flags.json === true) {
    const { badRows: bad_rows, examples } = outcome;
    const error = good ? undefined : { message: whyNothing(report, flags) };
    if (error !== undefined) console.error(error.message);
    console.log(
      JSON.stringify({ ...report, error, bad_rows, notes, suspicious: suspects(screening), examples }),
    );
    return good ? 0 : 1;
  }
  if (resumedAfter > 0)
    console.error(`Resumed after ${count(resumedAfter, "product")}, where an earlier run stopped.`);
  for (const sentence of notes.sentences()) console.log(withFlag(sentence));
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
  if (comparison !== undefined)
    for (const sentence of sayQuestions(report, comparison)) console.log(sentence);
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

/** The facts that a person has to accept. */
function sayQuestions({ asks, priceJumps = [] }: ImportReport, comparison: Comparison): string[] {
  const { changed, unchanged, missing, price_jumps: jumps } = comparison;
  const known = changed + unchanged;
  const sayings = {
    shrunk: [
      `${number(missing)} of ${count(known + missing, "product")} in the catalog are not in the file and would be discontinued.`,
    ],
    prices: [
      `${number(jumps)} of ${count(known, "price")} change by more than five times:`,
      ...priceJumps.map(
        ({ sku, currency, before, after }) =>
          `  ${plainLine(sku)}: ${toMoney(before, currency).formatted} becomes ${toMoney(after, currency).formatted}`,
      ),
    ],
  };
  return asks.flatMap((question) => sayings[question]);
}

const SUSPICIONS = {
  shrunk: "the file looks cut off or filtered",
  prices: "so many prices changing so much looks like a wrong unit or currency",
};

function whyNothing({ rows, bad, asks }: ImportReport, { strict, removeMissing }: ReportFlags): string {
  if (rows === 0)
    return bad > 0
      ? "The file has no valid row. Check --from, --delimiter and --map."
      : "The file has no rows.";
  if (bad > 0 && strict === true)
    return "Nothing was imported, because the file has bad rows. Fix them, or leave out --strict.";
  if (bad > 0 && removeMissing === true)
    return "Nothing was imported: with bad rows, --remove-missing would discontinue the products in them. Fix the rows, or leave it out.";
  return `Nothing was imported: ${asks.map((question) => SUSPICIONS[question]).join(", and ")}. Add --yes if it is right.`;
}

const number = (value: number) => value.toLocaleString("en");

const count = (value: number, noun: string) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
