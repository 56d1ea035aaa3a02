import { statfs } from "node:fs/promises";
import { basename } from "node:path";
import { styleText } from "node:util";
import { setFlagsFromString } from "node:v8";
import { ServerLostError, withServer } from "../local/server.ts";
import { importCatalog } from "../../src/catalog/import/import-catalog.ts";
import { sayFailure } from "../failure.ts";
import { LeftOutNames } from "./left-out-names.ts";
import { Notes } from "../../src/catalog/import/read/notes.ts";
import { openSource } from "./open-source.ts";
import { type Prepared, type ReadFlags, prepare } from "./prepare.ts";
import { showProgress } from "./progress.ts";
import { type Outcome, printReport } from "./report.ts";
import { type Screening, screen } from "../../src/catalog/import/read/screen.ts";
import { rewindable } from "./spool.ts";
import { type TargetEvents, targetInParts } from "../../src/catalog/import/target-in-parts.ts";
import { gzipProblem } from "../../src/catalog/import/read/source.ts";
import type { Target } from "../../src/catalog/import/target.ts";

export interface ImportFlags extends ReadFlags {
  quarantine?: boolean;
  yes?: boolean;
  strict?: boolean;
  removeMissing?: boolean;
  dryRun?: boolean;
  remote?: boolean;
  json?: boolean;
  state: string;
}

const BAD_ROWS_SHOWN = 20;
const SAY_EVERY_MS = 2_000;
/**
 * Free bytes that SQLite needs to write. Below this, workerd reports "internal error" as often as
 * SQLITE_FULL.
 */
const DISK_LEFT_MIN = 256 * 1024;

/** Runs the command `import`; returns the exit code. */
export async function runImport(name: string, flags: ImportFlags): Promise<number> {
  // Rows live for a moment only, and where memory is free, Node keeps hundreds of megabytes of dead ones.
  setFlagsFromString("--heap-growing-percent=25");
  const run = { isApplying: false };
  // Without these, a signal ends the process and leaves the copy of standard input behind.
  const stops = Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }).map(([signal, code]) => {
    const stop = () => {
      if (!run.isApplying) console.error("\nInterrupted; the catalog is unchanged.");
      process.exit(code);
    };
    process.on(signal, stop);
    return { signal, stop };
  });
  try {
    const { file, remove } = await rewindable(name);
    try {
      const prepared = await prepare(file, flags, (sentence) => {
        if (flags.json !== true) console.error(sentence);
      });
      const input = { ...prepared, title: name === "-" ? "Standard input" : basename(name) };
      // A local import needs no wrangler.
      const remote = flags.remote === true ? await import("./remote-target.ts") : undefined;
      if (remote !== undefined && flags.dryRun === true) {
        const target = await remote.fileTarget();
        const { report, ...rest } = await importInto(target, input, { ...flags, dryRun: false }, run);
        console.error(`Nothing was sent. The SQL is in ${target.path}`);
        return printReport({ report: { ...report, applied: false }, ...rest }, flags);
      }
      if (remote !== undefined)
        return printReport(await importInto(await remote.remoteTarget(), input, flags, run), flags);
      const outcome = await withServer({ stateDir: flags.state }, (server) =>
        importInto(targetInParts(server, sayParts(flags)), input, flags, run),
      );
      return printReport(outcome, flags);
    } finally {
      await remove();
    }
  } catch (error) {
    const reason = (await isFull(flags.state)) ? "The disk is full." : describe(error);
    sayFailure(reason, styleText("red", reason, { stream: process.stderr }));
    const isUnknown = run.isApplying && error instanceof ServerLostError;
    console.error(isUnknown ? "Either all rows are in, or none." : "The catalog is unchanged.");
    return 1;
  } finally {
    for (const { signal, stop } of stops) process.off(signal, stop);
  }
}

/** Equal for the same file with flags that read it in the same way. */
function versionOf(file: string, flags: ImportFlags): string {
  const reading = Object.entries(flags).filter(([name]) => !["dryRun", "yes", "json"].includes(name));
  return JSON.stringify([file, reading.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Tells on standard error how applying goes. */
function sayParts({ json }: ImportFlags): TargetEvents {
  if (json === true) return {};
  let saidAt = Date.now();
  return {
    onWait: () => console.error("Another import is being applied. Waiting for it to end…"),
    onPart(done, all) {
      if (Date.now() - saidAt < SAY_EVERY_MS) return;
      saidAt = Date.now();
      console.error(`Applying: ${Math.round((100 * done) / all)}%. Callers still see the old catalog.`);
    },
  };
}

async function importInto(
  target: Target,
  { file, title, products, map, rows }: Prepared & { title: string },
  flags: ImportFlags,
  run: { isApplying: boolean },
): Promise<Outcome> {
  const source = await openSource(file);
  const progress = showProgress(source, flags.dryRun === true ? "Reading" : "Importing");
  const notes = new Notes();
  const screening: Screening = { count: 0, found: [], quarantined: flags.quarantine === true };
  const leftOut = new LeftOutNames(products, map);
  const examples: string[] = [];
  const badRows: { line: number; problem: string }[] = [];
  const sayInterrupted = () => {
    progress.stop();
    const again = source.version === undefined ? "" : " Run the same command again to resume.";
    // A batch that the running server has accepted completes even if this process ends.
    const outcome = run.isApplying
      ? " while the rows were applied: either all of them are in, or none."
      : "; the catalog is unchanged.";
    console.error(`\nInterrupted${outcome}${again}`);
    process.exit(130);
  };
  process.prependListener("SIGINT", sayInterrupted);
  try {
    const checked = rows(leftOut.watch(products.drafts(source)), notes);
    const report = await importCatalog(screen(checked, screening), target, {
      source: title,
      flagged: () => ({ ...screening, keptOut: screening.quarantined }),
      strict: flags.strict === true,
      dryRun: flags.dryRun === true,
      removeMissing: flags.removeMissing === true,
      isAccepted: flags.yes === true,
      version: source.version && versionOf(source.version, flags),
      onProgress: (count) => progress.update(count),
      onBadRow: (line, problem) => {
        if (badRows.length === BAD_ROWS_SHOWN) return;
        badRows.push({ line, problem });
        console.error(`${products.format === "json" ? "product" : "line"} ${line}: ${problem}`);
        if (badRows.length === BAD_ROWS_SHOWN) console.error("(more bad rows are counted, not shown)");
      },
      onReview: (lines) => {
        progress.stop();
        examples.push(...lines);
        if (flags.json === true) return;
        console.log(`What a shopper ${flags.dryRun === true ? "would" : "will"} see:`);
        for (const line of examples) console.log(`  ${line}`);
        if (examples.every((line) => line.endsWith("| no link")))
          console.log('  A link for each product: --set "url=https://YOUR-SHOP/products/{COLUMN}"');
      },
      onApply: () => {
        run.isApplying = true;
        if (process.stderr.isTTY) console.error("Applying…");
      },
    });
    return { report, badRows, notes, screening, examples };
  } finally {
    progress.stop();
    leftOut.say();
    process.off("SIGINT", sayInterrupted);
  }
}

async function isFull(folder: string): Promise<boolean> {
  const disk = await statfs(folder).catch(() => undefined);
  return disk !== undefined && disk.bavail * disk.bsize < DISK_LEFT_MIN;
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const damage = gzipProblem(error);
  if (damage !== undefined) return damage;
  if (message.includes("FOREIGN KEY"))
    return "Another import is being applied, or another run of this one has ended it. Run the command again.";
  return message;
}
