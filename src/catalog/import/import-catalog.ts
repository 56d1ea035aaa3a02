import { createHash, randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type Flagged, stageFlagged } from "./flagged.ts";
import { BAD_ROWS_KEPT, type BadRow, recordImport } from "./history.ts";
import type { ProductRecord } from "./record.ts";
import { stageRows, stagedRow } from "./stage.ts";
import type { CheckedRow } from "./read/check-rows.ts";
import { type Comparison, noComparison } from "./comparison.ts";
import { shopperLines } from "./preview.ts";
import { type PriceJump, firstPriceJumps, jumpRows } from "./price-jumps.ts";
import { type Question, questionsAbout } from "./questions.ts";
import type { Target } from "./target.ts";

export interface ImportOptions {
  /** The name of the file, for the list of imports on the dashboard. */
  source: string;
  /** The admin who imports it; absent if nobody is signed in. */
  madeBy?: string;
  strict: boolean;
  dryRun: boolean;
  /**
   * Discontinues products that the file lacks. A bad row prevents it, because nobody knows which product the row describes:
   * with `true` nothing is imported then, with `if-clean` the rest is.
   */
  removeMissing: boolean | "if-clean";
  /** Applies the import even if a person should be asked first. */
  isAccepted: boolean;
  /** Rows of the same feed's last import, or null. */
  rowsBefore?: number | null;
  /** Equal for the same unchanged file, so an interrupted import can resume. */
  version: string | undefined;
  /** Products whose text reads like an instruction, once all rows are read. */
  flagged: () => { count: number; found: readonly Flagged[]; keptOut: boolean };
  onProgress: (products: number) => void;
  onBadRow: (line: number, problem: string) => void;
  /** Called once before anything is applied, with the first products of the file as a shopper will see them. */
  onReview: (examples: readonly string[]) => void;
  onApply: () => void;
}

export interface ImportReport {
  rows: number;
  bad: number;
  /** The number of products after which this run resumed, or 0 if it started at the beginning. */
  resumedAfter: number;
  /** Whether there are rows to apply and nothing prevents it. */
  good: boolean;
  applied: boolean;
  comparison: Comparison | undefined;
  /** Why a person should be asked first: `prices` if too many change too much, `shrunk` if the file lacks too many products. */
  asks: Question[];
  /** The first price changes of `prices`. */
  priceJumps?: PriceJump[];
}

const EXAMPLES = 3;
const CHUNK_ROWS = 1_000;
/** Rows come without a pause. After so many, a chunk that is being written gets its turn, and so does a signal. */
const TURN_ROWS = 50;

/**
 * Stages every good row, then applies all of them at once. The catalog does not change before that: an
 * interrupt loses nothing, and the next run resumes where this one stopped.
 */
export async function importCatalog(
  rows: AsyncIterable<CheckedRow>,
  target: Target,
  options: ImportOptions,
): Promise<ImportReport> {
  try {
    return await stageAndApply(rows, target, options);
  } catch (error) {
    // If this fails too, the turn is lost after a while.
    await target.endTurn?.().catch(() => {});
    throw error;
  }
}

async function stageAndApply(
  rows: AsyncIterable<CheckedRow>,
  target: Target,
  options: ImportOptions,
): Promise<ImportReport> {
  const importId =
    options.version === undefined ? randomUUID() : createHash("sha256").update(options.version).digest("hex");
  const resumedAfter = await target.begin(importId);
  const report = { rows: 0, bad: 0, resumedAfter };
  const examples: ProductRecord[] = [];
  const badRows: BadRow[] = [];
  // One chunk is written while the next is read; both take about as long.
  let writing = Promise.resolve();
  try {
    const reading = {
      report,
      onRecord: (record: ProductRecord) => addExample(examples, record),
      onBadRow(row: BadRow) {
        if (badRows.length < BAD_ROWS_KEPT) badRows.push(row);
        options.onBadRow(row.line, row.problem);
      },
    };
    for await (const { staged, end } of chunks(rows, target.statementMax, reading)) {
      const statements = staged.length > 0 ? stageRows(importId, staged, end) : [];
      await writing;
      writing = target.stage(statements);
      // The promise is awaited later; until then a failure must not count as an unhandled rejection.
      writing.catch(() => {});
      options.onProgress(report.rows);
    }
    await writing;
    const { found, keptOut } = options.flagged();
    await target.stage(stageFlagged(importId, found, { keptOut, now: Date.now() }));
  } catch (error) {
    // A chunk may still be in flight, and would fail because its import is gone.
    await writing.catch(() => {});
    // If this fails too, a later import removes the leftovers.
    await target.drop(importId).catch(() => {});
    throw error;
  }
  // A file without one good row is a mistake.
  const good = report.rows > 0 && (report.bad === 0 || (!options.strict && options.removeMissing !== true));
  const removeMissing = options.removeMissing === "if-clean" ? report.bad === 0 : options.removeMissing;
  const comparison = await target.compare(importId, { removeMissing });
  const asks = questionsAbout({
    rows: report.rows,
    rowsBefore: options.rowsBefore ?? null,
    comparison,
    removeMissing,
  });
  const mayApply = good && (asks.length === 0 || options.isAccepted);
  const applied = mayApply && !options.dryRun;
  const priceJumps = asks.includes("prices")
    ? jumpRows.parse(await target.query(firstPriceJumps(importId)))
    : undefined;
  if (good) options.onReview(await shopperLines(examples, (query) => target.query(query), Date.now()));
  if (applied) options.onApply();
  const { added = null, changed = null, unchanged = null, missing = null } = comparison ?? {};
  const record = options.dryRun
    ? []
    : recordImport({
        ended_at: Date.now(),
        source: options.source,
        made_by: options.madeBy ?? null,
        outcome: applied ? "applied" : "refused",
        counts: {
          rows: report.rows,
          bad: report.bad,
          flagged: options.flagged().count,
          added,
          changed,
          unchanged,
          discontinued: removeMissing ? missing : 0,
        },
        problem: applied ? null : whyRefused(report, good, asks, comparison),
        bad_rows: badRows,
      });
  if (applied) await target.apply(importId, { removeMissing }, record);
  else await target.drop(importId, record);
  return { ...report, good: mayApply, applied, comparison, asks, ...(priceJumps && { priceJumps }) };
}

function whyRefused(
  { rows }: { rows: number },
  good: boolean,
  asks: readonly Question[],
  { price_jumps: jumps, changed, unchanged, missing } = noComparison(),
): string {
  if (rows === 0) return "The file has no valid row.";
  if (!good) return "The file has bad rows, and the import was told to accept none.";
  const known = changed + unchanged;
  return asks.includes("prices")
    ? `${jumps} of ${known} prices change by more than five times, which looks like a wrong unit or currency.`
    : `The file has ${rows} products, and lacks ${missing} of ${known + missing} in the catalog.`;
}

/** The first products of the file, and not three variants of the first one. */
function addExample(examples: ProductRecord[], record: ProductRecord): void {
  if (examples.length === EXAMPLES) return;
  const isShown = record.group !== undefined && examples.some(({ group }) => group?.id === record.group?.id);
  if (!isShown) examples.push(record);
}

interface Chunk {
  /** The number of products. */
  size: number;
  /** As they are staged. Those that an earlier run has staged are left out. */
  staged: string[];
  /** The number of valid products in the file up to its last one. Several may stand on one line. */
  end: number;
}

interface Reading {
  report: { rows: number; bad: number; resumedAfter: number };
  onRecord: (record: ProductRecord) => void;
  onBadRow: (row: BadRow) => void;
}

async function* chunks(
  rows: AsyncIterable<CheckedRow>,
  bytesMax: number,
  { report, onRecord, onBadRow }: Reading,
): AsyncGenerator<Chunk> {
  let chunk: Chunk = { size: 0, staged: [], end: 0 };
  let bytes = 0;
  for await (const row of rows) {
    if ("problem" in row) {
      report.bad++;
      onBadRow(row);
      continue;
    }
    const staged = report.rows < report.resumedAfter ? undefined : stagedRow(row.record);
    const size = staged === undefined ? 0 : bytesInSql(staged);
    if (chunk.size === CHUNK_ROWS || (bytes + size > bytesMax && chunk.size > 0)) {
      yield chunk;
      chunk = { size: 0, staged: [], end: 0 };
      bytes = 0;
    }
    report.rows++;
    bytes += size;
    chunk.size++;
    onRecord(row.record);
    if (staged !== undefined) chunk.staged.push(staged);
    chunk.end = report.rows;
    if (report.rows % TURN_ROWS === 0) await nextTurn();
  }
  if (chunk.size > 0) yield chunk;
}

/** A comma follows each row, and a quote is written twice. */
const bytesInSql = (row: string): number =>
  Buffer.byteLength(row.includes("'") ? row.replaceAll("'", "''") : row) + 1;
