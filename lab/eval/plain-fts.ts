import { DatabaseSync } from "node:sqlite";
import type { ProductRecord } from "../../src/catalog/import/record.ts";

/** Plain FTS5 as a baseline: five texts in one FTS5 table with the porter stemmer, any word, bm25. Gives the SKUs of a page. */
export function plainFts(products: readonly ProductRecord[]): (query: string) => string[] {
  const database = new DatabaseSync(":memory:");
  database.exec(
    "CREATE VIRTUAL TABLE plain USING fts5(name, model, brand, category, description, sku UNINDEXED, tokenize = 'porter unicode61')",
  );
  const insert = database.prepare("INSERT INTO plain VALUES (?, ?, ?, ?, ?, ?)");
  database.exec("BEGIN");
  for (const { name, model, brand, category, description, sku } of products)
    insert.run(name, model, brand, category, description, sku);
  database.exec("COMMIT");
  const statement = database.prepare(
    "SELECT sku FROM plain WHERE plain MATCH ? ORDER BY bm25(plain, 10, 5, 5, 2, 1) LIMIT 10",
  );
  return (query) => {
    const match = query
      .split(/\s+/)
      .map((word) => `"${word.replaceAll('"', '""')}"`)
      .join(" OR ");
    return statement.all(match).map(({ sku }) => String(sku));
  };
}
