import { importCatalog } from "../catalog/import/import-catalog.ts";
import { Notes } from "../catalog/import/read/notes.ts";
import { prepareInput } from "../catalog/import/read/prepare.ts";
import { type Screening, screen } from "../catalog/import/read/screen.ts";
import type { Input } from "../catalog/import/read/source.ts";
import { targetInParts } from "../catalog/import/target-in-parts.ts";
import { runBatch } from "../database/run-batch.ts";
import type { Statement } from "../database/statement.ts";
import { type DeliveryOptions, flagsOf } from "./options.ts";
import type { Pace } from "./pace.ts";
import type { DeliveryReport } from "./report.ts";

/** An isolate has 128 MiB, and empty lists take fifteen times their bytes. */
const VALUE_MAX = 2 * 1024 * 1024;
const BAD_ROWS_SHOWN = 20;
const SUSPICIOUS_SHOWN = 20;

/** D1 did not take a step. The import can be run again. */
export class DatabaseFailed extends Error {
  override name = "DatabaseFailed";
}

export interface Progress {
  step: "fetching" | "checking" | "reading" | "applying";
  done: number;
  /** Undefined if it is not known. */
  all?: number | undefined;
}

export interface ImportOrder {
  input: Input;
  options: DeliveryOptions;
  db: D1Database;
  pace: Pace;
  /** Names the object in memory, which may go on at once after a failure. After a reset it waits for its earlier turn to end. */
  run: string;
  /** Equal for the same delivery with the same options, so that an interrupted import resumes. */
  version: string;
  /** Rows of the feed's last applied delivery; null if there is none. */
  rowsBefore: number | null;
  /** Whether a person has to see the report first. */
  isUpload: boolean;
  /** The admin who has seen the report and wants it applied. */
  approvedBy: string | null;
  /** The URL or file, as people see it. */
  name: string;
  onProgress: (progress: Progress) => void;
}

/**
 * Imports a delivery as the command does, in steps of the pace. The catalog changes in one transaction at the end. An import that
 * needs a person is not applied; once it is approved, the file is read again. Throws DatabaseFailed, or an Error about the file.
 */
export async function runImport(order: ImportOrder): Promise<{ report: DeliveryReport; isApplied: boolean }> {
  const { input, options, isUpload, onProgress } = order;
  const isApproved = order.approvedBy !== null;
  const said: string[] = [];
  const { products, rows } = await prepareInput(input, flagsOf(options), {
    valueMax: VALUE_MAX,
    say: (sentence) => said.push(sentence.text),
    onSurveyed: (done) => onProgress({ step: "checking", done }),
  });
  const notes = new Notes();
  const screening: Screening = { count: 0, found: [], quarantined: options.quarantine };
  const bad_rows: DeliveryReport["bad_rows"] = [];
  const examples: string[] = [];
  const target = targetInParts(
    databaseOf(order),
    { onPart: (done, all) => onProgress({ step: "applying", done, all }) },
    order.run,
  );
  const checked = rows(products.drafts(await input.open()), notes);
  const {
    rows: count,
    bad,
    comparison,
    applied,
    asks,
    priceJumps = [],
  } = await importCatalog(screen(checked, screening), target, {
    source: order.name,
    ...(order.approvedBy !== null && { madeBy: order.approvedBy }),
    flagged: () => ({ count: screening.count, found: screening.found, keptOut: screening.quarantined }),
    strict: false,
    dryRun: isUpload && !isApproved,
    removeMissing: options.remove_missing ? "if-clean" : false,
    isAccepted: isApproved,
    rowsBefore: order.rowsBefore,
    version: order.version,
    onProgress: (done) => onProgress({ step: "reading", done }),
    onBadRow: (line, problem) => {
      if (bad_rows.length < BAD_ROWS_SHOWN) bad_rows.push({ line, problem: problem.slice(0, 500) });
    },
    onReview: (lines) => examples.push(...lines),
    onApply: () => onProgress({ step: "applying", done: 0 }),
  });
  if (count === 0)
    throw new Error(
      bad === 0
        ? "The file has no rows."
        : `The file has no valid row. The first problem is on line ${bad_rows[0]?.line}: ${bad_rows[0]?.problem}`,
    );
  return {
    isApplied: applied,
    report: {
      read_as: products.preset.title,
      notes: [...said, ...notes.sentences().map(({ text }) => text)],
      rows: count,
      bad,
      bad_rows,
      comparison: comparison ?? null,
      removes_missing: options.remove_missing && bad === 0,
      examples,
      suspicious: {
        count: screening.count,
        shown: screening.found.slice(0, SUSPICIOUS_SHOWN).map(({ line, sku }) => ({ line, sku })),
        quarantined: screening.quarantined,
      },
      price_jumps: priceJumps,
      reasons: isUpload ? [...asks, "upload"] : asks,
    },
  };
}

/** D1 in the pace's steps. */
const databaseOf = ({ db, pace }: ImportOrder) => ({
  batch: (statements: Statement[]) =>
    pace.run("statements", statements.length, async () => {
      try {
        return await runBatch(db, statements);
      } catch (error) {
        throw new DatabaseFailed("D1 did not take a step of the import.", { cause: error });
      }
    }),
});
