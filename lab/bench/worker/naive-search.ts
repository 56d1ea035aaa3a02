import * as z from "zod";
import { NAIVE_PAGE, naiveMatch } from "../../support/naive-fts.ts";

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
  const { results } = await db
    .prepare(
      `SELECT p.sku, p.name, p.brand, c.name AS category, p.price_minor, p.currency, p.status,
         EXISTS (SELECT 1 FROM stock s WHERE s.product_id = p.id AND s.quantity > 0) AS stocked
       FROM naive_search f JOIN products p JOIN categories c ON c.id = p.category_id ${NAIVE_PAGE}`,
    )
    .bind(naiveMatch(query))
    .all();
  return z.array(productRow).parse(results);
}
