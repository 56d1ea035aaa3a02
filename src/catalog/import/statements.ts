import { minorPerMajor } from "../money.ts";
import type { ProductRecord } from "./record.ts";

/** SQL with its values: run as one batch locally, written out as a file for a remote database. */
export interface Statement {
  sql: string;
  values: (string | number | null)[];
}

// Two steps. Staging takes rows in as they are read, and can be taken up again after an interrupt.
// Applying moves all of them into the catalog in one transaction: callers see the old catalog or
// the new one, and a failure leaves the old one whole.

export function beginImport(importId: string): Statement[] {
  return [{ sql: "INSERT INTO imports (id) VALUES (?1) ON CONFLICT DO NOTHING", values: [importId] }];
}

/** Takes in rows that were read up to `linesRead` lines of the file, `rowsBad` of which were refused. */
export function stageRows(
  importId: string,
  records: ProductRecord[],
  linesRead: number,
  rowsBad: number,
): Statement[] {
  const rows = records.map((record) => ({ ...record, minor_per_major: minorPerMajor(record.currency) }));
  return [
    {
      sql: `INSERT OR REPLACE INTO import_rows (import_id, sku, record)
        SELECT ?1, value ->> 'sku', value FROM json_each(?2)`,
      values: [importId, JSON.stringify(rows)],
    },
    {
      sql: "UPDATE imports SET lines_read = ?2, rows_bad = ?3 WHERE id = ?1",
      values: [importId, linesRead, rowsBad],
    },
  ];
}

const PRODUCT_COLUMNS = [
  "name",
  "model",
  "brand",
  "description",
  "category_id",
  "price_minor",
  "currency",
  "minor_per_major",
  "gtin",
  "image_url",
  "status",
  "attributes",
];

/** Moves an import's rows into the catalog. Rows that change nothing are not written. */
export function applyImport(importId: string, { removeMissing }: { removeMissing: boolean }): Statement[] {
  const mine = (sql: string): Statement => ({ sql, values: [importId] });
  const staged = `import_rows r JOIN products p ON p.sku = r.sku`;
  const removal = mine(`UPDATE products SET status = 'discontinued' WHERE status = 'active'
    AND NOT EXISTS (SELECT 1 FROM import_rows r WHERE r.import_id = ?1 AND r.sku = products.sku)`);
  return [
    mine(`INSERT INTO categories (name)
      SELECT DISTINCT record ->> 'category' FROM import_rows WHERE import_id = ?1 ON CONFLICT DO NOTHING`),
    mine(`INSERT INTO products (sku, ${PRODUCT_COLUMNS.join(", ")})
      SELECT r.sku, record ->> 'name', record ->> 'model', record ->> 'brand', record ->> 'description', c.id,
        record ->> 'price', record ->> 'currency', record ->> 'minor_per_major', record ->> 'gtin',
        record ->> 'image_url', record ->> 'status', record -> 'attributes'
      FROM import_rows r JOIN categories c ON c.name = record ->> 'category'
      WHERE r.import_id = ?1 ORDER BY r.rowid
      ON CONFLICT (sku) DO UPDATE SET ${PRODUCT_COLUMNS.map((name) => `${name} = excluded.${name}`).join(", ")}
      WHERE ${row("products")} IS NOT ${row("excluded")}`),
    mine(`INSERT INTO product_internals (product_id, cost, supplier_id)
      SELECT p.id, record ->> 'cost', record ->> 'supplier_id' FROM ${staged} WHERE r.import_id = ?1
      ON CONFLICT (product_id) DO UPDATE SET cost = excluded.cost, supplier_id = excluded.supplier_id`),
    mine(`DELETE FROM stock WHERE EXISTS (
        SELECT 1 FROM ${staged} WHERE r.import_id = ?1 AND p.id = stock.product_id
          AND record -> 'stock' IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM json_each(record, '$.stock') s WHERE s.value ->> 'warehouse' = stock.warehouse))`),
    mine(`INSERT INTO stock (product_id, warehouse, quantity)
      SELECT p.id, s.value ->> 'warehouse', s.value ->> 'quantity'
      FROM ${staged}, json_each(record, '$.stock') s WHERE r.import_id = ?1
      ON CONFLICT (product_id, warehouse) DO UPDATE SET quantity = excluded.quantity, version = version + 1
      WHERE quantity <> excluded.quantity`),
    ...(removeMissing ? [removal] : []),
    ...dropImport(importId),
  ];
}

export function dropImport(importId: string): Statement[] {
  return [
    { sql: "DELETE FROM import_rows WHERE import_id = ?1", values: [importId] },
    { sql: "DELETE FROM imports WHERE id = ?1", values: [importId] },
  ];
}

function row(table: string): string {
  return `(${PRODUCT_COLUMNS.map((name) => `${table}.${name}`).join(", ")})`;
}
