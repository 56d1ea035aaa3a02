import { statfs } from "node:fs/promises";
import { styleText } from "node:util";
import { withServer } from "../local/server.ts";
import { checkRows } from "./check-rows.ts";
import { type ImportReport, importCatalog } from "./import-catalog.ts";
import { type Source, openSource } from "./open-source.ts";
import { showProgress } from "./progress.ts";
import { peek } from "./peek.ts";
import { columnList, readCsv } from "./read-csv.ts";
import { type Row, readJsonl } from "./read-jsonl.ts";
import { type Target, localTarget, remoteTarget } from "./targets.ts";

export interface ImportFlags {
  format?: string;
  map: string[];
  delimiter: string;
  majorPrices?: boolean;
  strict?: boolean;
  removeMissing?: boolean;
  dryRun?: boolean;
  remote?: boolean;
  json?: boolean;
  state: string;
}

const BAD_ROWS_SHOWN = 20;
/**
 * Free bytes that SQLite needs to write. Below this, workerd reports "internal error" as often as
 * SQLITE_FULL.
 */
const DISK_LEFT_MIN = 256 * 1024;

/** Runs the command `import`; returns the exit code. */
export async function runImport(file: string, flags: ImportFlags): Promise<number> {
  try {
    const source = await openSource(file);
    if (flags.remote === true) {
      const target = await remoteTarget(flags.dryRun !== true);
      const report = await importInto(target, source, { ...flags, dryRun: false });
      if (flags.dryRun === true) console.error(`Nothing was sent. The SQL is in ${target.file}`);
      return summarize({ ...report, applied: report.applied && flags.dryRun !== true }, flags);
    }
    const report = await withServer({ stateDir: flags.state }, (server) =>
      importInto(localTarget(server), source, flags),
    );
    return summarize(report, flags);
  } catch (error) {
    const reason = (await isFull(flags.state)) ? "The disk is full." : describe(error);
    console.error(styleText("red", reason, { stream: process.stderr }));
    console.error("The catalog is unchanged.");
    return 1;
  }
}

async function importInto(target: Target, source: Source, flags: ImportFlags): Promise<ImportReport> {
  const progress = showProgress(source, flags.dryRun === true ? "Reading" : "Importing");
  let bad = 0;
  const leftOut: string[] = [];
  let applying = false;
  const sayInterrupted = () => {
    progress.stop();
    const again = source.version === undefined ? "" : " Run the same command again to resume.";
    // A batch that the running server has accepted completes even if this process ends.
    const outcome = applying
      ? " while the rows were applied: either all of them are in, or none."
      : "; the catalog is unchanged.";
    console.error(`\nInterrupted${outcome}${again}`);
    process.exit(130);
  };
  process.prependListener("SIGINT", sayInterrupted);
  try {
    const rows = await readRows(source, flags);
    const checked = checkRows(rows, {
      majorPrices: flags.majorPrices === true,
      onUnknownField: (name) => leftOut.push(name),
    });
    return await importCatalog(checked, target, {
      strict: flags.strict === true,
      dryRun: flags.dryRun === true,
      removeMissing: flags.removeMissing === true,
      version:
        source.version &&
        JSON.stringify([source.version, flags.format, flags.map, flags.delimiter, flags.majorPrices]),
      onProgress: (products) => progress.update(products),
      onBadRow: (line, problem) => {
        bad++;
        if (bad <= BAD_ROWS_SHOWN) console.error(`line ${line}: ${problem}`);
        if (bad === BAD_ROWS_SHOWN) console.error("(more bad rows are counted, not shown)");
      },
      onApply: () => {
        applying = true;
        progress.stop();
        if (process.stderr.isTTY) console.error("Applying…");
      },
    });
  } finally {
    progress.stop();
    if (leftOut.length > 0)
      console.error(`Left out, because they are not product fields: ${columnList(leftOut)}.`);
    process.off("SIGINT", sayInterrupted);
  }
}

async function readRows(
  source: Source,
  { format, map, delimiter }: ImportFlags,
): Promise<AsyncIterable<Row>> {
  const { first, whole: bytes } = await peek(source.bytes, BEGINNING);
  const chosen = format ?? formatOf(source.name, first.toString("utf8"));
  if (chosen === "jsonl") return readJsonl(bytes);
  if (chosen !== "csv") throw new Error(`--format must be jsonl or csv, not ${chosen}.`);
  const mapping = map.map((pair) => {
    const [field = "", ...column] = pair.split("=");
    if (field === "" || column.length === 0) throw new Error(`--map needs field=column, not ${pair}.`);
    return [field, column.join("=")] as const;
  });
  return readCsv(bytes, {
    mapping: Object.fromEntries(mapping),
    // Shells pass `\t` on as two characters.
    delimiter: delimiter === String.raw`\t` ? "\t" : delimiter,
    onLeftOut: (columns) => {
      if (columns.length > 0)
        console.error(
          `Left out, because they are not product fields: ${columnList(columns)}. Keep one with --map attributes.NAME=COLUMN.`,
        );
    },
  });
}

const BEGINNING = 64;

/** The format comes from the file name, else from the first byte: a line of JSON begins with a brace. */
function formatOf(name: string, beginning: string): "csv" | "jsonl" {
  const [, byName] = /\.(csv|jsonl)(?:\.gz)?$/i.exec(name) ?? [];
  const isCsv = byName === undefined ? /^[\p{L}"]/u.test(beginning.trimStart()) : /csv/i.test(byName);
  return isCsv ? "csv" : "jsonl";
}

function summarize(report: ImportReport, flags: ImportFlags): number {
  const { json, dryRun, removeMissing } = flags;
  const { rows, bad, good, comparison, resumedAfter } = report;
  if (json === true) {
    console.log(JSON.stringify(report));
    if (!good) console.error(whyNothing(report, flags));
    return good ? 0 : 1;
  }
  const number = (value: number) => value.toLocaleString("en");
  if (resumedAfter > 0) {
    console.error(`Resumed after line ${number(resumedAfter)}, where an earlier run stopped.`);
  }
  const what = good ? count(rows, "product") : "nothing";
  console.log(
    `${dryRun === true ? "Would import" : "Imported"} ${what}${bad > 0 ? `; ${count(bad, "bad row")}` : ""}.`,
  );
  if (comparison !== undefined && good) {
    const { added, changed, unchanged, missing } = comparison;
    console.log(`${number(added)} new, ${number(changed)} changed, ${number(unchanged)} unchanged.`);
    const fate =
      removeMissing === true ? "discontinued" : "unchanged (add --remove-missing to discontinue them)";
    if (missing > 0) console.log(`${count(missing, "active product")} that the file lacks: ${fate}.`);
  }
  if (!good) console.log(whyNothing(report, flags));
  return good ? 0 : 1;
}

function whyNothing({ rows, bad }: ImportReport, { strict }: ImportFlags): string {
  if (rows > 0)
    return strict === true
      ? "Nothing was imported, because the file has bad rows. Fix them, or leave out --strict."
      : "Nothing was imported: with bad rows, --remove-missing would discontinue the products in them. Fix the rows, or leave it out.";
  return bad > 0
    ? "The file has no valid row. Check --format, --delimiter, --map and --major-prices."
    : "The file has no rows.";
}

const count = (value: number, noun: string) =>
  `${value.toLocaleString("en")} ${noun}${value === 1 ? "" : "s"}`;

async function isFull(folder: string): Promise<boolean> {
  const disk = await statfs(folder).catch(() => undefined);
  return disk !== undefined && disk.bavail * disk.bsize < DISK_LEFT_MIN;
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "Z_BUF_ERROR") return "The gzip data ends early: the file is cut off.";
  if (code === "Z_DATA_ERROR") return "The gzip data is damaged.";
  if (message.includes("FOREIGN KEY")) return "Another run of this import has finished it or given up.";
  return message;
}
