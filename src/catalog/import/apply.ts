import { randomUUID } from "node:crypto";
import type { Statement } from "../../database/statement.ts";
import { DISCONTINUED_TIER, WORDS_ID, WORD_COLUMNS } from "../search/product-words.ts";
import { JSON_COLUMNS, STAGED_COLUMNS, TEXT_COLUMNS } from "./columns.ts";
import { countWords } from "./count-words.ts";
import { publishFlagged } from "./flagged.ts";
import { dropImport, unstage } from "./stage.ts";
import { endTurn, keepTurn, takeTurn } from "./turn.ts";

// Moves staged rows into the catalog. Unchanged rows are not written.

/** A condition on rows, with its values from ?2 on. ?1 is the import's id. */
export interface Chosen {
  sql: string;
  values: Statement["values"];
}
const ALL: Chosen = { sql: "1", values: [] };
/** Staged rows (`r`) or products (`p`) with one of these rowids. */
export const among = (table: "r" | "p", rowids: readonly number[]): Chosen => ({
  sql: `${table}.rowid IN (SELECT value FROM json_each(?2))`,
  values: [JSON.stringify(rowids)],
});
/** Staged rows (`r`) or products (`p`) with a rowid from `first` to `last`. */
export const between = (table: "r" | "p", first: number, last: number): Chosen => ({
  sql: `${table}.rowid BETWEEN ?2 AND ?3`,
  values: [first, last],
});

/** SQL for the chosen rows of an import. The plus keeps SQLite from walking all rows of the import instead. */
export const staged = (rows: Chosen): string => `import_rows r WHERE ${rows.sql} AND +r.import_id = ?1`;
/** SQL for the products of the chosen rows, as `p` beside `r`. More tables and conditions may follow. */
const stagedProducts = (rows: Chosen, more = ""): string =>
  `import_rows r CROSS JOIN products p ON p.sku = r.sku ${more} WHERE ${rows.sql} AND +r.import_id = ?1`;

const PRODUCT_COLUMNS = [...TEXT_COLUMNS, ...JSON_COLUMNS, "category_id", "group_id"];

/** Writes the products of the chosen rows, without their search words, and what applyStock() will change. */
export function applyProducts(importId: string, rows: Chosen): Statement[] {
  const mine = (sql: string): Statement => ({ sql, values: [importId, ...rows.values] });
  return [
    mine(`INSERT INTO categories (name)
      SELECT DISTINCT path.value FROM (SELECT DISTINCT record -> 'paths' AS paths FROM ${staged(rows)})
        CROSS JOIN json_each(paths) path WHERE 1 ON CONFLICT DO NOTHING`),
    mine(`INSERT INTO product_groups (key, name)
      SELECT record ->> 'group_key', record ->> 'group_name' FROM ${staged(rows)}
        AND record ->> 'group_key' IS NOT NULL GROUP BY 1
      ON CONFLICT (key) DO UPDATE SET name = excluded.name WHERE name <> excluded.name`),
    mine(`INSERT INTO products AS p (sku, ${PRODUCT_COLUMNS.join(", ")})
      SELECT r.sku, ${STAGED_COLUMNS.join(", ")},
        (SELECT c.id FROM categories c WHERE c.name = record ->> 'category'),
        (SELECT g.id FROM product_groups g WHERE g.key = record ->> 'group_key')
      FROM ${staged(rows)} ORDER BY r.rowid
      ON CONFLICT (sku) DO UPDATE SET ${PRODUCT_COLUMNS.map((name) => `${name} = excluded.${name}`).join(", ")}
      WHERE ${exact("p")} IS NOT ${exact("excluded")}`),
    mine(`INSERT INTO product_internals AS i (product_id, cost, supplier_id)
      SELECT p.id, record ->> 'cost', record ->> 'supplier_id' FROM ${stagedProducts(rows)}
      ON CONFLICT (product_id) DO UPDATE SET cost = excluded.cost, supplier_id = excluded.supplier_id
      WHERE (i.cost, i.supplier_id) IS NOT (excluded.cost, excluded.supplier_id)`),
    mine(`INSERT OR REPLACE INTO import_stock (product_id, warehouse, quantity)
      SELECT p.id, s.warehouse, NULL FROM ${stagedProducts(rows, "CROSS JOIN stock s ON s.product_id = p.id")}
        AND record -> 'stock' IS NOT NULL AND NOT EXISTS (
          SELECT 1 FROM json_each(record, '$.stock') e WHERE e.value ->> 'warehouse' = s.warehouse)
      UNION ALL
      SELECT p.id, e.value ->> 'warehouse', e.value ->> 'quantity'
      FROM ${stagedProducts(rows, "CROSS JOIN json_each(record, '$.stock') e LEFT JOIN stock s ON s.product_id = p.id AND s.warehouse = e.value ->> 'warehouse'")}
        AND (s.quantity IS NOT e.value ->> 'quantity' OR ${isUndoable("s")})`),
  ];
}

/**
 * SQL for whether the last touch of a row of stock was a change that can be undone. An import that states the same quantity
 * confirms it: the row gets a new version, and the change can't be undone any more.
 */
export const isUndoable = (stock: string): string => `EXISTS (SELECT 1 FROM stock_changes l
  WHERE l.product_id = ${stock}.product_id AND l.warehouse = ${stock}.warehouse AND l.version = ${stock}.version)`;

/** COLLATE BINARY, because the brand's own collation ignores a correction of its capitals. */
const exact = (table: string): string =>
  `(${PRODUCT_COLUMNS.map((name) => `${table}.${name} COLLATE BINARY`).join(", ")})`;

const STAGED_WORDS = `${WORDS_ID("p")}, p.group_id, ${WORD_COLUMNS.map((name) => `record ->> '$.words.${name}'`).join(", ")}`;
const INSERT_WORDS = `INSERT INTO product_words (product_id, id, group_id, ${WORD_COLUMNS.join(", ")})
  SELECT p.id, ${STAGED_WORDS} FROM`;
/** By the id in product_words. FTS5 collects rows of ascending ids, and writes a part of its index at each lower one. */
const BY_ID = "ORDER BY 2";
const BESIDE_WORDS = "CROSS JOIN product_words w ON w.product_id = p.id";

/** Writes the search words of the chosen rows. All products must be written before, because their order decides. */
export function applyWords(importId: string, rows: Chosen): Statement[] {
  const mine = (sql: string): Statement => ({ sql, values: [importId, ...rows.values] });
  return [
    mine(`DELETE FROM product_words WHERE id IN (
      SELECT w.id FROM ${stagedProducts(rows, BESIDE_WORDS)}
        AND (w.id, w.group_id, ${WORD_COLUMNS.map((name) => `w.${name}`).join(", ")}) IS NOT (${STAGED_WORDS}))`),
    mine(`${INSERT_WORDS} ${stagedProducts(rows, "LEFT JOIN product_words w ON w.product_id = p.id")}
        AND w.id IS NULL ${BY_ID}`),
  ];
}

/** Writes the search words of the chosen rows, of which none is written, and counts them (next-catalog.ts). */
export const insertWords = (importId: string, rows: Chosen): Statement[] =>
  [`${INSERT_WORDS} ${stagedProducts(rows)} ${BY_ID}`, ...countWords(stagedProducts(rows, BESIDE_WORDS))].map(
    (sql) => ({ sql, values: [importId, ...rows.values] }),
  );

/** SQL for the active products (`p`) that an import lacks. */
export const missing = (products: Chosen): string =>
  `products p WHERE ${products.sql} AND p.status = 'active' AND NOT EXISTS (
    SELECT 1 FROM import_rows r WHERE r.import_id = ?1 AND r.sku = p.sku)`;

/** Discontinues those of the chosen products that the import lacks. */
export function discontinueMissing(importId: string, products: Chosen): Statement[] {
  const mine = (sql: string): Statement => ({ sql, values: [importId, ...products.values] });
  return [
    // Discontinued products come after the others in the index's order (product-words.ts).
    mine(`UPDATE product_words SET id = id | (${DISCONTINUED_TIER} << 40)
      WHERE product_id IN (SELECT p.id FROM ${missing(products)})`),
    mine(`UPDATE products SET status = 'discontinued' WHERE id IN (SELECT p.id FROM ${missing(products)})`),
  ];
}

/** Forgets stock that an interrupted import would have changed. */
export const forgetStock: Statement = { sql: "DELETE FROM import_stock", values: [] };

/** Writes the quantities that applyProducts() found different or to confirm. One that others changed since is overwritten. */
export const applyStock: readonly Statement[] = [
  `DELETE FROM stock WHERE (product_id, warehouse) IN (
    SELECT product_id, warehouse FROM import_stock WHERE quantity IS NULL)`,
  `INSERT INTO stock (product_id, warehouse, quantity)
    SELECT product_id, warehouse, quantity FROM import_stock WHERE quantity IS NOT NULL
    ON CONFLICT (product_id, warehouse) DO UPDATE SET quantity = excluded.quantity, version = version + 1
    WHERE quantity <> excluded.quantity OR ${isUndoable("stock")}`,
  forgetStock.sql,
].map((sql) => ({ sql, values: [] }));

/**
 * Fails its transaction if another run of the same file has applied or dropped the import: without its rows, every product
 * would count as missing. The row that it inserts then has no import to refer to.
 */
export const demandImport = (importId: string): Statement => ({
  sql: `INSERT INTO import_rows (import_id, sku, record)
    SELECT ?1, '', '' WHERE NOT EXISTS (SELECT 1 FROM imports WHERE id = ?1)`,
  values: [importId],
});

/**
 * Merges parts of the index. An import leaves some ten, and every search opens each of them; with one part a search takes
 * half the time. Writes about `pages` pages. A negative number begins a merge, and a positive one goes on.
 */
export const mergeIndex = (pages: number): Statement => ({
  sql: "INSERT INTO product_search (product_search, rank) VALUES ('merge', ?1)",
  values: [pages],
});
/** Pages that an import merges, so that a small import into a large catalog does not rewrite all of it. */
export const MERGED_PAGES = 16_000;

/** Applies an import in one transaction: all of it, or only the rows and products of some parts. */
export function applyAtOnce(
  importId: string,
  { removeMissing }: { removeMissing: boolean },
  parts: Readonly<Record<"rows" | "products", readonly Chosen[]>> = { rows: [ALL], products: [ALL] },
): Statement[] {
  return [
    demandImport(importId),
    forgetStock,
    ...parts.rows.flatMap((rows) => applyProducts(importId, rows)),
    ...parts.rows.flatMap((rows) => applyWords(importId, rows)),
    ...applyStock,
    ...(removeMissing ? parts.products : []).flatMap((products) => discontinueMissing(importId, products)),
    ...publishFlagged(importId),
    unstage(importId),
  ];
}

/**
 * Applies an import and drops it, as one transaction for a database that takes no slices. It fails if another import is applying
 * its rows.
 */
export function applyImport(
  importId: string,
  options: { removeMissing: boolean },
  parts?: Parameters<typeof applyAtOnce>[2],
): Statement[] {
  const run = randomUUID();
  return [
    // The last statement only reads who has the turn.
    ...takeTurn(run).slice(0, -1),
    ...keepTurn(run),
    ...applyAtOnce(importId, options, parts),
    mergeIndex(-MERGED_PAGES),
    ...dropImport(importId),
    endTurn(run),
  ];
}
