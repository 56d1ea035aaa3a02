import type { ProductRecord } from "../../src/catalog/import/record.ts";
import type { LocalServer } from "../local/server.ts";
import type { CheckedRow } from "./check-rows.ts";
import { type ImportOptions, type ImportReport, importCatalog } from "./import-catalog.ts";
import { localTarget } from "./local-target.ts";

const ignore = () => {};

/** Imports records that are known to be valid, as one change. */
export function importRecords(
  server: LocalServer,
  records: Iterable<ProductRecord>,
  options: Partial<ImportOptions> = {},
): Promise<ImportReport> {
  return importCatalog(numbered(records), localTarget(server), {
    strict: true,
    dryRun: false,
    removeMissing: false,
    acceptPriceJumps: true,
    version: undefined,
    onProgress: ignore,
    onBadRow: ignore,
    onReview: ignore,
    onApply: ignore,
    ...options,
  });
}

async function* numbered(records: Iterable<ProductRecord>): AsyncGenerator<CheckedRow> {
  let line = 1;
  for (const record of records) yield { line: line++, record };
}
