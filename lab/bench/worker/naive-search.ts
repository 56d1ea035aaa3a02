import * as z from "zod";

// Plain FTS5 as a baseline: the five texts of a product in one FTS5 table with the porter stemmer,
// every word optional, bm25() over all matches. lab/bench/seed.ts makes the table.

const productRow = z.object({
  sku: z.string(),
  name: z.string(),
  brand: z.string(),
  category: z.string(),
  price_minor: z.int(),
  currency: z.string(),
  status: z.string(),
  stocked: z.int(),
});

export async function naiveSearch(db: D1Database, query: string) {
  const match = query
    .split(/\s+/)
    .map((word) => `"${word.replaceAll('"', '""')}"`)
    .join(" OR ");
  const { results } = await db
    .prepare(
      `SELECT p.sku, p.name, p.brand, c.name AS category, p.price_minor, p.currency, p.status,
         EXISTS (SELECT 1 FROM stock s WHERE s.product_id = p.id AND s.quantity > 0) AS stocked
       FROM naive_search f JOIN products p ON p.id = f.rowid JOIN categories c ON c.id = p.category_id
       WHERE naive_search MATCH ? ORDER BY bm25(naive_search, 10, 5, 5, 2, 1) LIMIT 10`,
    )
    .bind(match)
    .all();
  return z.array(productRow).parse(results);
}
