import type { ProductRecord } from "../../src/catalog/import/record.ts";
import type { LocalServer } from "../local/server.ts";
import type { CheckedRow } from "../../src/catalog/import/read/check-rows.ts";
import {
  type ImportOptions,
  type ImportReport,
  importCatalog,
} from "../../src/catalog/import/import-catalog.ts";
import { targetInParts } from "../../src/catalog/import/target-in-parts.ts";

const ignore = () => {};

/** Imports records that are known to be valid, as one change. */
export function importRecords(
  server: LocalServer,
  records: Iterable<ProductRecord>,
  options: Partial<ImportOptions> = {},
): Promise<ImportReport> {
  return importCatalog(numbered(records), targetInParts(server), {
    source: "Generated products",
    strict: true,
    dryRun: false,
    removeMissing: false,
    isAccepted: true,
    version: undefined,
    flagged: () => ({ count: 0, found: [], keptOut: false }),
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
