import type { Statement } from "../database/statement.ts";

/**
 * SQL for the version of a place's stock, also after its row was deleted; 0 for a place that never had any. `stock` and
 * `past` are the aliases of left-joined rows.
 */
export const versionOf = (stock: string, past: string): string =>
  `coalesce(${stock}.version, ${past}.version, 0)`;

/** SQL that joins stock and its past version, as `s` and `d`, for a product id and a warehouse. */
export const joinStock = (productId: string, warehouse: string): string =>
  `LEFT JOIN stock s ON s.product_id = ${productId} AND s.warehouse = ${warehouse}
   LEFT JOIN past_stock d ON d.product_id = ${productId} AND d.warehouse = ${warehouse}`;

/**
 * Brings the stock to what the lines of a change say. A line is applied once: its version is newer than the stock's only
 * before that.
 */
export const applyLines = (changeId: string): Statement[] => [
  {
    sql: `INSERT INTO stock (product_id, warehouse, quantity, version)
      SELECT product_id, warehouse, after, version FROM stock_changes
      WHERE change_id = ?1 AND after IS NOT NULL
      ON CONFLICT (product_id, warehouse) DO UPDATE SET quantity = excluded.quantity, version = excluded.version
      WHERE version < excluded.version`,
    values: [changeId],
  },
  {
    sql: `DELETE FROM stock WHERE (product_id, warehouse) IN (
        SELECT l.product_id, l.warehouse FROM stock_changes l
        JOIN stock s ON s.product_id = l.product_id AND s.warehouse = l.warehouse
        WHERE l.change_id = ?1 AND l.after IS NULL AND s.version < l.version)`,
    values: [changeId],
  },
];
