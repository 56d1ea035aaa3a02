import type { Statement } from "../../database/statement.ts";
import { minorPerMajor } from "../money.ts";
import { pathsOf } from "../category-path.ts";
import { productWords } from "../search/product-words.ts";
import { dropFlagged, dropLostFlagged } from "./flagged.ts";
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
    dropLostFlagged,
    { sql: "INSERT INTO imports (id) VALUES (?1) ON CONFLICT DO NOTHING", values: [importId] },
    { sql: "SELECT lines_staged FROM imports WHERE id = ?1", values: [importId] },
  ];
}

/**
 * Stages rows of stagedRow(). The file is then staged up to `line`. A row that another run of the same file has staged keeps its
 * rowid, by which that run may be about to apply it.
 */
export function stageRows(importId: string, rows: readonly string[], line: number): Statement[] {
  return [
    {
      sql: `INSERT INTO import_rows (import_id, sku, record)
        SELECT ?1, value ->> 'sku', jsonb(value) FROM json_each(?2) WHERE 1
        ON CONFLICT (import_id, sku) DO UPDATE SET record = excluded.record`,
      values: [importId, `[${rows.join(",")}]`],
    },
    { sql: "UPDATE imports SET lines_staged = ?2 WHERE id = ?1", values: [importId, line] },
  ];
}

/** A record in the form of its columns and with its search words, as JSON. */
export function stagedRow(record: ProductRecord): string {
  const { sale, group, images, rating, cost_minor } = record;
  const minor = minorPerMajor(record.currency);
  const prices = [record.price_minor, ...(sale === undefined ? [] : [sale.price_minor])];
  const [image_url = "", ...more_images] = images;
  return JSON.stringify({
    ...record,
    // Columns of their own follow. JSON leaves out what is undefined.
    sale: undefined,
    group: undefined,
    images: undefined,
    rating: undefined,
    cost_minor: undefined,
    minor_per_major: minor,
    cost: cost_minor,
    image_url,
    more_images,
    paths: pathsOf(record.category),
    sale_minor: sale?.price_minor,
    sale_starts_at: timeOf(sale?.starts_at),
    sale_ends_at: timeOf(sale?.ends_at),
    group_key: group?.id,
    group_name: group?.name,
    rating_value: rating?.value,
    rating_count: rating?.count,
    words: productWords(
      record,
      prices.map((price) => price / minor),
    ),
  });
}

const timeOf = (instant: string | undefined) => (instant === undefined ? undefined : Date.parse(instant));

/** Lets a later run of the same file begin anew, because rows of this import will be missing. */
export const unstage = (importId: string): Statement => ({
  sql: "UPDATE imports SET lines_staged = 0 WHERE id = ?1",
  values: [importId],
});

/** Deletes some of an import's rows; the last statement returns how many `rows` are left, at most one. */
export const dropRows = (importId: string, rows: number): Statement[] => [
  unstage(importId),
  {
    sql: `DELETE FROM import_rows WHERE rowid IN (SELECT rowid FROM import_rows WHERE import_id = ?1 LIMIT ${rows})`,
    values: [importId],
  },
  {
    sql: "SELECT count(*) AS rows FROM (SELECT 1 FROM import_rows WHERE import_id = ?1 LIMIT 1)",
    values: [importId],
  },
];

/** Deletes an import with its rows, of which dropRows() should have left few. */
export const dropImport = (importId: string): Statement[] => [
  { sql: "DELETE FROM import_rows WHERE import_id = ?1", values: [importId] },
  { sql: "DELETE FROM imports WHERE id = ?1", values: [importId] },
  dropFlagged(importId),
];
