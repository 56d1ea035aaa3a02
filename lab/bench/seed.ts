import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { importRecords } from "../../cli/import/import-records.ts";
import { startServer } from "../../cli/local/server.ts";
import { generateProducts } from "../../cli/sample/generate.ts";
import { addCallers } from "./callers.ts";

const GENERATED = 20_000;

export const madeUpProducts = (): ProductRecord[] => [...generateProducts(GENERATED, 1)];

/**
 * Fills a state folder for all variants: the catalog, the naive FTS5 table over it, users with keys. Returns
 * the keys.
 */
export async function seed(
  stateDir: string,
  products: readonly ProductRecord[],
  principals: number,
): Promise<string[]> {
  const server = await startServer({ stateDir });
  try {
    await importRecords(server, products);
    await server.batch([
      {
        sql: `CREATE VIRTUAL TABLE naive_search USING fts5 (
          name, model, brand, category, description, tokenize = 'porter unicode61')`,
        values: [],
      },
      {
        sql: `INSERT INTO naive_search (rowid, name, model, brand, category, description)
          SELECT p.id, p.name, p.model, p.brand, c.name, p.description
          FROM products p JOIN categories c ON c.id = p.category_id`,
        values: [],
      },
    ]);
    return await addCallers(server, principals);
  } finally {
    await server.close();
  }
}
