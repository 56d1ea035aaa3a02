import type { Statement } from "../../database/statement.ts";
import { minorPerMajor } from "../money.ts";
import { pathsOf } from "../search/facets.ts";
import { DISCONTINUED_TIER, WORDS_ID, WORD_COLUMNS, productWords } from "../search/product-words.ts";
import type { ProductRecord } from "./record.ts";

// An import has two steps. Staging stores rows as they are read, and can resume after an interruption. Applying moves
// all of them into the catalog in one transaction: callers see the old catalog or the new one, and a failure leaves the
// old one whole.

/** Milliseconds after which an import that was never resumed is deleted. */
const ABANDONED_MS = 7 * 24 * 60 * 60 * 1000;

/** Opens an import, or finds an interrupted one. The last statement returns how far it came. */
export function beginImport(importId: string): Statement[] {
  return [
    {
      sql: `DELETE FROM imports WHERE started_at < unixepoch('subsec') * 1000 - ${ABANDONED_MS} AND id <> ?1`,
      values: [importId],
    },
    { sql: "INSERT INTO imports (id) VALUES (?1) ON CONFLICT DO NOTHING", values: [importId] },
    { sql: "SELECT lines_staged FROM imports WHERE id = ?1", values: [importId] },
  ];
}

/** Stages records with their search words. The file is then staged up to `line`. */
export function stageRows(importId: string, records: readonly ProductRecord[], line: number): Statement[] {
  return [
    {
      sql: `INSERT OR REPLACE INTO import_rows (import_id, sku, record)
        SELECT ?1, value ->> 'sku', value FROM json_each(?2)`,
      values: [importId, JSON.stringify(records.map(toStagedRow))],
    },
    { sql: "UPDATE imports SET lines_staged = ?2 WHERE id = ?1", values: [importId, line] },
  ];
}

/** A record in the form of its columns. */
function toStagedRow({ sale, group, images, rating, cost_minor, ...record }: ProductRecord) {
  const minor = minorPerMajor(record.currency);
  const prices = [record.price_minor, ...(sale === undefined ? [] : [sale.price_minor])];
  const [image_url = "", ...more_images] = images;
  return {
    ...record,
    minor_per_major: minor,
    cost: cost_minor,
    image_url,
    more_images,
    paths: pathsOf(record.category),
    ...(sale && {
      sale_minor: sale.price_minor,
      sale_starts_at: timeOf(sale.starts_at),
      sale_ends_at: timeOf(sale.ends_at),
    }),
    ...(group && { group_key: group.id, group_name: group.name }),
    ...(rating && { rating_value: rating.value, rating_count: rating.count }),
    words: productWords(
      record,
      prices.map((price) => price / minor),
    ),
  };
}

const timeOf = (instant: string | undefined) => (instant === undefined ? undefined : Date.parse(instant));

/** Columns that hold a field of a staged row as it is, and columns that hold one as JSON. */
const TEXT_COLUMNS = [
  "name",
  "model",
  "brand",
  "description",
  "price_minor",
  "currency",
  "minor_per_major",
  "gtin",
  "image_url",
  "status",
  "sale_minor",
  "sale_starts_at",
  "sale_ends_at",
  "url",
  "condition",
  "rating_value",
  "rating_count",
  "availability",
  "available_from",
];
const JSON_COLUMNS = ["attributes", "options", "more_images"];
const PRODUCT_COLUMNS = [...TEXT_COLUMNS, ...JSON_COLUMNS, "category_id", "group_id"];
const STAGED_COLUMNS = [
  ...TEXT_COLUMNS.map((name) => `record ->> '${name}'`),
  ...JSON_COLUMNS.map((name) => `record -> '${name}'`),
];

/**
 * SQL for whether the last touch of a row of `stock` was a change that can be undone. An import that states the same quantity
 * confirms it: the row gets a new version, and the change can't be undone any more.
 */
const isUndoable = `EXISTS (SELECT 1 FROM stock_changes l WHERE l.product_id = stock.product_id
  AND l.warehouse = stock.warehouse AND l.version = stock.version)`;

/** Moves an import's rows into the catalog. Unchanged rows are not written. */
export function applyImport(importId: string, { removeMissing }: { removeMissing: boolean }): Statement[] {
  const mine = (sql: string): Statement => ({ sql, values: [importId] });
  const staged = `import_rows r JOIN products p ON p.sku = r.sku`;
  const staging = `${WORDS_ID("p")}, p.group_id, ${WORD_COLUMNS.map((name) => `record ->> '$.words.${name}'`).join(", ")}`;
  const missing = `NOT EXISTS (SELECT 1 FROM import_rows r WHERE r.import_id = ?1 AND r.sku = p.sku)`;
  const removal = [
    // Discontinued products come after the others in the index's order (product-words.ts).
    mine(`UPDATE product_words SET id = id | (${DISCONTINUED_TIER} << 40) WHERE product_id IN (
      SELECT p.id FROM products p WHERE p.status = 'active' AND ${missing})`),
    mine(`UPDATE products AS p SET status = 'discontinued' WHERE p.status = 'active' AND ${missing}`),
  ];
  return [
    // Fails the whole transaction if another run of the same file has applied or dropped the import: without its rows,
    // every product would count as missing. This row then has no import to refer to.
    mine(`INSERT INTO import_rows (import_id, sku, record)
      SELECT ?1, '', '' WHERE NOT EXISTS (SELECT 1 FROM imports WHERE id = ?1)`),
    mine(`INSERT INTO categories (name)
      SELECT DISTINCT path.value FROM (SELECT DISTINCT record -> 'paths' AS paths FROM import_rows WHERE import_id = ?1)
        CROSS JOIN json_each(paths) path WHERE 1 ON CONFLICT DO NOTHING`),
    mine(`INSERT INTO product_groups (key, name)
      SELECT record ->> 'group_key', record ->> 'group_name' FROM import_rows
      WHERE import_id = ?1 AND record ->> 'group_key' IS NOT NULL GROUP BY 1
      ON CONFLICT (key) DO UPDATE SET name = excluded.name WHERE name <> excluded.name`),
    mine(`INSERT INTO products (sku, ${PRODUCT_COLUMNS.join(", ")})
      SELECT r.sku, ${STAGED_COLUMNS.join(", ")}, c.id,
        (SELECT g.id FROM product_groups g WHERE g.key = record ->> 'group_key')
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
      WHERE quantity <> excluded.quantity OR ${isUndoable}`),
    mine(`DELETE FROM product_words WHERE product_id IN (
      SELECT p.id FROM ${staged} JOIN product_words w ON w.product_id = p.id WHERE r.import_id = ?1
        AND (w.id, w.group_id, ${WORD_COLUMNS.map((name) => `w.${name}`).join(", ")}) IS NOT (${staging}))`),
    mine(`INSERT INTO product_words (product_id, id, group_id, ${WORD_COLUMNS.join(", ")})
      SELECT p.id, ${staging} FROM ${staged} LEFT JOIN product_words w ON w.product_id = p.id
      WHERE r.import_id = ?1 AND w.id IS NULL`),
    ...(removeMissing ? removal : []),
    mergeIndex,
    ...dropImport(importId),
  ];
}

/**
 * Merges the index. An import leaves some ten segments, and every search opens each of them; with one segment a search
 * takes half the time. Bounded in pages, so that a small import into a large catalog does not rewrite all of it.
 */
const mergeIndex: Statement = {
  sql: "INSERT INTO product_search (product_search, rank) VALUES ('merge', -16000)",
  values: [],
};

/** A price that becomes so many times higher or lower is worth a question. */
export const PRICE_JUMP = 5;

/**
 * Returns what applying would change, as one row: `added`, `changed`, `unchanged` and `missing` products, and `price_jumps`, the
 * products whose regular price becomes more than five times higher or lower.
 */
export function compareImport(importId: string): Statement {
  const staged = `FROM import_rows r LEFT JOIN products p ON p.sku = r.sku
    LEFT JOIN categories c ON c.id = p.category_id LEFT JOIN product_groups g ON g.id = p.group_id
    LEFT JOIN product_internals i ON i.product_id = p.id WHERE r.import_id = ?1`;
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
  const sql = `SELECT
      (SELECT count(*) ${staged} AND p.id IS NULL) AS added,
      (SELECT count(*) ${staged} AND p.id IS NOT NULL AND ${differs}) AS changed,
      (SELECT count(*) ${staged} AND p.id IS NOT NULL AND NOT ${differs}) AS unchanged,
      (SELECT count(*) FROM products p WHERE p.status = 'active' AND NOT EXISTS (
        SELECT 1 FROM import_rows r WHERE r.import_id = ?1 AND r.sku = p.sku)) AS missing,
      (SELECT count(*) ${staged} AND p.currency = record ->> 'currency'
        AND (p.price_minor > ${PRICE_JUMP} * (${price}) OR ${price} > ${PRICE_JUMP} * p.price_minor)) AS price_jumps`;
  return { sql, values: [importId] };
}

export function dropImport(importId: string): Statement[] {
  return [
    { sql: "DELETE FROM import_rows WHERE import_id = ?1", values: [importId] },
    { sql: "DELETE FROM imports WHERE id = ?1", values: [importId] },
  ];
}

/** COLLATE BINARY, because the brand's own collation ignores a correction of its capitals. */
function row(table: string): string {
  return `(${PRODUCT_COLUMNS.map((name) => `${table}.${name} COLLATE BINARY`).join(", ")})`;
}
