import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { checkRows } from "../../cli/import/check-rows.ts";
import { openSource } from "../../cli/import/open-source.ts";
import { readJsonl } from "../../cli/import/read-jsonl.ts";
import { type BadRow, refuseBadRows } from "./bad-rows.ts";

/**
 * Reads the products of a JSONL file, gzipped or not. Throws an Error that names the bad rows, or says that
 * there is no product.
 */
export async function readProducts(file: string): Promise<ProductRecord[]> {
  const products: ProductRecord[] = [];
  const bad: BadRow[] = [];
  for await (const row of checkRows(readJsonl((await openSource(file)).bytes))) {
    if ("record" in row) products.push(row.record);
    else bad.push(row);
  }
  refuseBadRows(file, bad);
  if (products.length === 0) throw new Error(`${file} contains no product.`);
  return products;
}
