import { env } from "cloudflare:workers";
import type * as z from "zod";
import type { ProductRecord, productFields } from "../../../src/catalog/import/record.ts";
import { productRecordSchema } from "../../../src/catalog/import/record.ts";
import { applyImport } from "../../../src/catalog/import/apply.ts";
import { beginImport, stageRows, stagedRow } from "../../../src/catalog/import/stage.ts";
import { readCatalogSize } from "../../../src/guard/catalog-size.ts";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { runBatch } from "../../../src/database/run-batch.ts";

/** Values of internal columns that must never be seen outside. */
export const PLANTED = { cost: 31_337_042, supplier: "PLANTED-SUPPLIER-7f3a" };

/** One valid product; a test changes the fields it is about. */
export function product(changes: Partial<z.input<typeof productFields>> & { sku: string }): ProductRecord {
  return productRecordSchema.parse({
    name: "Plain Thing",
    model: "PT-1",
    brand: "Acme",
    description: "A thing.",
    category: "Things",
    price_minor: 1000,
    currency: "USD",
    cost_minor: PLANTED.cost,
    supplier_id: PLANTED.supplier,
    stock: [{ warehouse: "east", quantity: 3 }],
    ...changes,
  });
}

/** Imports through the same statements as the command line. */
export async function fill(records: ProductRecord[], options = { removeMissing: false }): Promise<void> {
  await ensureMigrated(env.DB);
  await runBatch(env.DB, [
    ...beginImport("test"),
    ...stageRows("test", records.map(stagedRow), records.length),
    ...applyImport("test", options),
  ]);
  // The isolate may still know the size of another file's catalog.
  await readCatalogSize(env.DB, Date.now());
}

export const keyboard = product({
  sku: "SKU-10001",
  name: "Wireless Keyboard",
  brand: "Voltway",
  category: "Electronics",
  price_minor: 7999,
  description: "Full-size wireless keyboard.",
  attributes: { layout: "US", keys: 104, backlit: true },
  stock: [
    { warehouse: "east", quantity: 12 },
    { warehouse: "west", quantity: 24 },
  ],
});
export const shirt = product({
  sku: "SKU-10002",
  name: "Cotton T-Shirt",
  category: "Clothing",
  price_minor: 2499,
});
export const lamp = product({
  sku: "SKU-10003",
  name: "Desk Lamp",
  category: "Home",
  price_minor: 4999,
  stock: [],
});
export const dock = product({
  sku: "SKU-12847",
  name: "Travel Dock",
  category: "Electronics",
  price_minor: 5999,
  status: "discontinued",
});
export const sample = [keyboard, shirt, lamp, dock];
