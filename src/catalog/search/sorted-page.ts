import type { Statement } from "../../database/statement.ts";
import { currentMajorPrice } from "../price.ts";
import type { Position } from "../cursor.ts";
import { summaryCell } from "../product.ts";
import { type Filters, bandRange, isInBand } from "./facets.ts";
import { NOW, PRODUCT_ID, Values, matchEveryOrAny, rowFilters } from "./match-conditions.ts";
import type { Query } from "./query.ts";
import type { Known } from "./vocabulary.ts";

/** Rows that one sort reads: all matches by name; by price all matches or, if there are more, those of one band. */
const SORTED_MAX = { price: 250, name: 10_000 };

const PRICE = currentMajorPrice("p", NOW);
// Every key sorts ascending, so that the same comparison continues any sort.
const SORT_KEYS = {
  price_asc: PRICE,
  price_desc: `-(${PRICE})`,
  // Shortened, because the cursor holds the key of a page's last row.
  name: "substr(lower(p.name), 1, 100)",
} as const;
export type ColumnSort = keyof typeof SORT_KEYS;

/** Rows that a page by price reads for each row that it shows, because products may have variants. */
const ROWS_PER_HIT = 4;

/**
 * A page of products in a column's order: those with every word or, if there are none, with any word; of each group the variant
 * that sorts first. `after` is the sort key and SKU of the last row seen. A row's `cut` is 1 if unread matches may sort before
 * it. `unread` is the sort key and SKU of the last row read, if the page is not full and more rows follow.
 *
 * By price, if there are more than SORTED_MAX matches, they are read band by band from the page's first price on. A later page
 * may then show another variant of a product.
 */
export function sortedPage(
  query: Query,
  known: Known,
  filters: Filters & { now: number; after?: Position | undefined },
  sort: ColumnSort,
  limit: number,
): Statement {
  const { after } = filters;
  const values = new Values(filters.now);
  const key = SORT_KEYS[sort];
  const max = sort === "name" ? SORTED_MAX.name : SORTED_MAX.price;
  const match = matchEveryOrAny(query, known, filters, values);
  const conditions = rowFilters(filters, values);
  const page = values.bind(limit);
  const most = `${ROWS_PER_HIT} * ${page}`;
  const onward = after ? ` AND (${key}, p.sku) > (${values.bind(after[0])}, ${values.bind(after[1])})` : "";
  const walk = (band: string, tables: string, where: string) =>
    `SELECT p.id, p.sku, coalesce(p.group_id, -p.id) AS product, ${key} AS sort_key, ${band} AS band
      FROM ${tables} CROSS JOIN products p ON p.id = ${PRODUCT_ID}
      WHERE product_search MATCH ${match}${where}${conditions}`;
  const inBand = ` || ' AND "' || band.word || '"' AND (p.sale_minor IS NULL OR ${isInBand("band.word", PRICE)})${onward}`;
  const few = `few AS MATERIALIZED (${walk("''", "product_search w", "")} LIMIT ${max})`;
  // Bands exist only for prices, and only once all rows are reindexed.
  const bands = sort === "name" || !known.settled ? undefined : bandsOf(sort, filters, after?.[0], values);
  const walked =
    bands === undefined
      ? `${few}, last AS (SELECT '' AS word), walked AS MATERIALIZED (SELECT * FROM few)`
      : `${few},
    near AS MATERIALIZED (
      ${walk("band.word", `(${bands}) band CROSS JOIN product_search w`, `${inBand} AND (SELECT count(*) FROM few) = ${max}`)} LIMIT ${most}),
    last AS MATERIALIZED (SELECT ${sort === "price_desc" ? "min" : "max"}(band) AS word FROM near HAVING count(*) = ${most}),
    walked AS MATERIALIZED (
      SELECT * FROM few WHERE (SELECT count(*) FROM few) < ${max}
      UNION ALL SELECT * FROM near WHERE band IS NOT (SELECT word FROM last)
      UNION ALL SELECT * FROM (${walk("band.word", "last band CROSS JOIN product_search w", inBand)} LIMIT ${max}))`;
  const sql = `WITH ${walked},
    ranked AS (SELECT *, row_number() OVER (PARTITION BY product ORDER BY sort_key, sku) AS place FROM walked),
    shown AS MATERIALIZED (
      SELECT p.id, p.sku, sort_key, band FROM ranked p
      WHERE place = 1${onward.replace(key, "sort_key")} ORDER BY sort_key, sku LIMIT 0 + ${page})
    SELECT shown.sort_key AS key, shown.sku, ${summaryCell(NOW)} || '' AS summary,
      band IS (SELECT word FROM last) AND (SELECT count(*) FROM walked WHERE band IS (SELECT word FROM last)) = ${max} AS cut,
      (SELECT json_array(sort_key, sku) FROM walked
        WHERE (SELECT word FROM last) > '' AND (SELECT count(*) FROM shown) < ${page}
        ORDER BY sort_key DESC, sku DESC LIMIT 1) AS unread
    FROM shown JOIN products p ON p.id = shown.id JOIN categories c ON c.id = p.category_id
    ORDER BY shown.sort_key, shown.sku`;
  return { sql, values: values.list };
}

/** SQL for the words of the non-empty price bands in a sort's order, starting at the last key shown. */
function bandsOf(
  sort: "price_asc" | "price_desc",
  { minPrice = 0, maxPrice = Infinity }: Filters,
  last: string | number | undefined,
  values: Values,
): string {
  const price = last === undefined ? undefined : Math.abs(Number(last));
  const isRising = sort === "price_asc";
  const [from, to] = bandRange(
    isRising ? (price ?? minPrice) : minPrice,
    isRising ? maxPrice : (price ?? maxPrice),
  );
  return `SELECT word FROM word_counts WHERE products > 0 AND word BETWEEN ${values.bind(from)} AND ${values.bind(to)}
    ORDER BY word ${isRising ? "" : "DESC"} LIMIT -1`;
}
