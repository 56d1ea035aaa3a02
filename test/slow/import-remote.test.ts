import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { CheckedRow } from "../../src/catalog/import/read/check-rows.ts";
import { type ImportOptions, importCatalog } from "../../src/catalog/import/import-catalog.ts";
import { remoteTarget } from "../../cli/import/remote-target.ts";
import { startServer } from "../../cli/local/server.ts";
import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { product, seed } from "../node/support/imports.ts";
import { readLocalD1 } from "../node/support/local-d1.ts";

// A local D1 that wrangler runs stands in for the deployed one.

let folder: string;
let database: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-remote-test-"));
  database = ["DB", "--local", "--persist-to", folder];
});
afterAll(() => rm(folder, { recursive: true }));

async function importRemotely(records: ProductRecord[], options: Partial<ImportOptions> = {}) {
  async function* rows(): AsyncGenerator<CheckedRow> {
    for (const [index, record] of records.entries()) yield { line: index + 1, record };
  }
  const ignore = () => {};
  return importCatalog(rows(), await remoteTarget(database), {
    source: "test",
    flagged: () => ({ count: 0, found: [], keptOut: false }),
    strict: false,
    dryRun: false,
    removeMissing: false,
    isAccepted: false,
    version: undefined,
    onProgress: ignore,
    onBadRow: ignore,
    onReview: ignore,
    onApply: ignore,
    ...options,
  });
}
const catalog = () =>
  readLocalD1(folder, [
    "SELECT sku, price_minor, status FROM products ORDER BY sku",
    "SELECT import_id FROM import_rows UNION SELECT id FROM imports",
  ]);
// Each call of wrangler takes seconds.
const TIMEOUT_MS = 600_000;

it(
  "compares a remote import, asks for --yes if prices jump, and then applies it",
  async () => {
    const server = await startServer({ stateDir: folder });
    await seed(
      server,
      ["A", "B", "C"].map((sku) => product({ sku, price_minor: 1_000 })),
    );
    await server.close();

    const dear = [
      product({ sku: "A", price_minor: 100_000 }),
      product({ sku: "B", price_minor: 1_000 }),
      product({ sku: "D", price_minor: 1_000 }),
    ];
    expect(await importRemotely(dear)).toMatchObject({
      good: false,
      applied: false,
      comparison: { added: 1, changed: 1, unchanged: 1, missing: 1, price_jumps: 1 },
      priceJumps: [{ sku: "A", currency: "USD", before: 1_000, after: 100_000 }],
    });
    const active = { price_minor: 1_000, status: "active" };
    expect(await catalog()).toEqual([["A", "B", "C"].map((sku) => ({ sku, ...active })), []]);

    expect(await importRemotely(dear, { isAccepted: true, removeMissing: true })).toMatchObject({
      applied: true,
    });
    expect(await catalog()).toEqual([
      [
        { sku: "A", price_minor: 100_000, status: "active" },
        { sku: "B", ...active },
        { sku: "C", price_minor: 1_000, status: "discontinued" },
        { sku: "D", ...active },
      ],
      [],
    ]);
  },
  TIMEOUT_MS,
);
