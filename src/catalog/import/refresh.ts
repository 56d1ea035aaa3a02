import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import { WORD_COLUMNS, WORDS_ID, productWords } from "../search/product-words.ts";
import type { Run } from "../../database/statement.ts";

/** Products that one search reindexes: few enough that the caller does not notice. */
const CHUNK = 40;

const stateRow = z.tuple([z.object({ unread_from: z.int(), changed_at: z.int().nullable() })]);
const productRows = z.array(
  z.object({
    id: z.int(),
    sku: z.string(),
    name: z.string(),
    model: z.string(),
    brand: z.string(),
    description: z.string(),
    category: z.string(),
    status: z.enum(["active", "discontinued"]),
    price: z.number(),
    sale_price: z.number().nullable(),
    options: jsonText.pipe(z.record(z.string(), z.string())).catch({}),
    attributes: jsonText.pipe(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))),
  }),
);

/**
 * Reindexes a few products whose words an older release wrote, and stores how far it got. An import reindexes the products
 * that it writes. Two concurrent runs do the same work; a run is discarded if the catalog changed meanwhile.
 */
export async function refresh(run: Run): Promise<void> {
  const [states, rows] = await run([
    { sql: "SELECT unread_from, changed_at FROM catalog_state WHERE unread_from IS NOT NULL", values: [] },
    {
      sql: `SELECT p.id, sku, p.name, model, brand, description, c.name AS category, status, attributes, options,
          price_minor * 1.0 / minor_per_major AS price, sale_minor * 1.0 / minor_per_major AS sale_price
        FROM products p JOIN categories c ON c.id = p.category_id
        WHERE p.id > (SELECT unread_from FROM catalog_state) ORDER BY p.id LIMIT ${CHUNK}`,
      values: [],
    },
  ]);
  if (states?.length !== 1) return;
  const [{ unread_from, changed_at }] = stateRow.parse(states);
  const products = productRows.parse(rows);
  const read = products.map((product) => {
    const { id, price, sale_price } = product;
    return { id, words: productWords(product, sale_price === null ? [price] : [price, sale_price]) };
  });
  const unchanged = "(SELECT changed_at IS ?2 AND unread_from = ?3 FROM catalog_state)";
  const columns = WORD_COLUMNS.map((name) => `${name} = record ->> '$.words.${name}'`);
  await run([
    {
      sql: `UPDATE product_words SET id = ${WORDS_ID("p")}, group_id = p.group_id, ${columns.join(", ")}
        FROM (SELECT value AS record FROM json_each(?1)) CROSS JOIN products p ON p.id = record ->> 'id'
        WHERE product_id = p.id AND ${unchanged}`,
      values: [JSON.stringify(read), changed_at, unread_from],
    },
    {
      sql: `UPDATE catalog_state SET unread_from = ?1 WHERE changed_at IS ?2 AND unread_from = ?3`,
      values: [products.length < CHUNK ? null : (products.at(-1)?.id ?? null), changed_at, unread_from],
    },
  ]);
}
