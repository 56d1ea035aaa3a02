import type { Statement } from "../../database/statement.ts";
import { READING } from "../search/product-words.ts";
import { type Chosen, isUndoable, missing } from "./apply.ts";
import { JSON_COLUMNS, STAGED_COLUMNS, TEXT_COLUMNS } from "./columns.ts";

/** A price that becomes so many times higher or lower is worth a question. */
export const PRICE_JUMP = 5;

/**
 * Returns what applying the chosen rows would change, as one row: the numbers of `added`, `changed` and `unchanged` products;
 * `price_jumps`, those whose regular price becomes more than five times higher or lower; and `rows`, a JSON list of the rowids
 * that applying would write.
 */
export function compareRows(importId: string, rows: Chosen): Statement {
  const now = [
    ...[...TEXT_COLUMNS, ...JSON_COLUMNS].map((name) => `p.${name} COLLATE BINARY`),
    "c.name, g.key, g.name, i.cost, i.supplier_id",
  ];
  const then = [
    ...STAGED_COLUMNS,
    ...["category", "group_key", "group_name", "cost", "supplier_id"].map((name) => `record ->> '${name}'`),
  ];
  const stockNow = `SELECT json_group_object(warehouse, quantity) FROM
    (SELECT warehouse, quantity FROM stock WHERE product_id = p.id ORDER BY warehouse)`;
  const stockThen = `SELECT json_group_object(value ->> 'warehouse', value ->> 'quantity') FROM
    (SELECT value FROM json_each(record, '$.stock') ORDER BY value ->> 'warehouse')`;
  const differs = `((${now.join(", ")}) IS NOT (${then.join(", ")})
    OR (record -> 'stock' IS NOT NULL AND (${stockNow}) IS NOT (${stockThen})))`;
  const price = "record ->> 'price_minor'";
  const jumps = `p.currency = record ->> 'currency'
    AND (p.price_minor > ${PRICE_JUMP} * (${price}) OR ${price} > ${PRICE_JUMP} * p.price_minor)`;
  const sql = `WITH compared AS (
      SELECT r.rowid AS row, p.id IS NULL AS is_new, p.id IS NOT NULL AND ${differs} AS is_changed,
        coalesce(${jumps}, 0) AS jumps, coalesce(w.reading, 0) <> ${READING} AS is_unread,
        record -> 'stock' IS NOT NULL AND EXISTS (
          SELECT 1 FROM stock s WHERE s.product_id = p.id AND ${isUndoable("s")}) AS is_confirming
      FROM import_rows r LEFT JOIN products p ON p.sku = r.sku
        LEFT JOIN categories c ON c.id = p.category_id LEFT JOIN product_groups g ON g.id = p.group_id
        LEFT JOIN product_internals i ON i.product_id = p.id LEFT JOIN product_words w ON w.product_id = p.id
      WHERE ${rows.sql} AND +r.import_id = ?1 LIMIT -1)
    SELECT coalesce(sum(is_new), 0) AS added, coalesce(sum(is_changed), 0) AS changed,
      coalesce(sum(NOT is_new AND NOT is_changed), 0) AS unchanged, coalesce(sum(jumps), 0) AS price_jumps,
      json_group_array(row) FILTER (WHERE is_new OR is_changed OR is_unread OR is_confirming) AS rows
    FROM compared`;
  return { sql, values: [importId, ...rows.values] };
}

/** Returns the rowids of the chosen products that are active and not in the import, as a JSON list named `missing`. */
export const compareMissing = (importId: string, products: Chosen): Statement => ({
  sql: `SELECT json_group_array(p.id) AS missing FROM ${missing(products)}`,
  values: [importId, ...products.values],
});

/** Returns the `first` and the `last` rowid of the import's rows, or NULLs. */
export const rangeOfRows = (importId: string): Statement => ({
  sql: "SELECT min(rowid) AS first, max(rowid) AS last FROM import_rows WHERE import_id = ?1",
  values: [importId],
});
/** Returns the `first` and the `last` id of the products, or NULLs. */
export const rangeOfProducts: Statement = {
  sql: "SELECT min(id) AS first, max(id) AS last FROM products",
  values: [],
};
