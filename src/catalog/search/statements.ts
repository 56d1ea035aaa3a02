import { spellings } from "../../text/spellings.ts";
import type { Statement } from "../../database/statement.ts";
import { SUMMARY_CELL } from "../product.ts";
import { type Filters, matchFacets } from "./facets.ts";
import { DISCONTINUED_TIER } from "./product-words.ts";
import { type Query, identifierCodes, matchSlot, readings } from "./query.ts";
import { attributeNeedles } from "./ranking.ts";

// Every statement of search. Values are bound, lists as one JSON value, so none comes near D1's
// bounds; the SQL itself is put together from constants alone.

/** Products that meet a slot are counted no further. */
export const COUNTED_MAX = 500;
/** How many products are fetched and scored. */
export const CANDIDATES = {
  /** That have every word. */
  all: 100,
  /** So many of those suffice: others are not looked for. */
  enough: 20,
  /** That have some of the words. */
  some: 30,
};
/** A word with no more matches than this is rare: all of them are candidates. */
const RARE_MAX = 50;
/** Rows that a sort by price or name takes in at the most. */
export const SORTED_MAX = 10_000;
const EXACT_MAX = 50;
const COMPLETIONS_MAX = 5;
/** product_words' id is tier << 40 | product_id. */
const PRODUCT_ID = "(w.rowid & 1099511627775)";

class Values {
  readonly list: Statement["values"] = [];
  bind(value: string | number): string {
    return `?${this.list.push(value)}`;
  }
}

/** What an index of words can't decide, or not exactly, as conditions on `p`. */
function rowFilters({ category, brand, minPrice, maxPrice, inStock }: Filters, values: Values): string {
  const parts: string[] = [];
  if (category !== undefined) {
    parts.push(`p.category_id = (SELECT id FROM categories WHERE name = ${values.bind(category)})`);
  }
  if (brand !== undefined) {
    const bound = spellings(brand).map((each) => values.bind(each));
    parts.push(`p.brand IN (${bound.join(", ")})`);
  }
  // 79.99 * 100 is a hair under 7999 in floating point; a hundredth of a minor unit makes up for it.
  if (minPrice !== undefined)
    parts.push(`p.price_minor >= ${values.bind(minPrice)} * p.minor_per_major - 0.01`);
  if (maxPrice !== undefined)
    parts.push(`p.price_minor <= ${values.bind(maxPrice)} * p.minor_per_major + 0.01`);
  const stocked = "EXISTS (SELECT 1 FROM stock s WHERE s.product_id = p.id AND s.quantity > 0)";
  if (inStock !== undefined)
    parts.push(`(p.status = 'active' AND ${stocked}) = ${values.bind(Number(inStock))}`);
  return parts.map((part) => ` AND ${part}`).join("");
}

/** The products whose SKU, GTIN or model is what was typed, as a JSON array of ids and summaries. */
function exactHits(query: Query, filters: Filters, values: Values): string {
  if (query.identifiers.length === 0) return "'[]'";
  const list = (codes: string[]) => `(SELECT value FROM json_each(${values.bind(JSON.stringify(codes))}))`;
  const typed = list(query.identifiers.flatMap((code) => [code, code.toUpperCase(), code.toLowerCase()]));
  const plain = identifierCodes(query);
  const digits = plain.map((code) => code.replace(/^0+/, ""));
  return `(SELECT json_group_array(json_object('id', id, 'summary', summary)) FROM (
    SELECT p.id, ${SUMMARY_CELL} AS summary FROM products p JOIN categories c ON c.id = p.category_id
    WHERE p.id IN (
      SELECT id FROM products WHERE sku IN ${typed}
      UNION ALL SELECT id FROM products WHERE model_code <> '' AND model_code IN ${list(plain)}
      UNION ALL SELECT id FROM products WHERE gtin_digits <> '' AND gtin_digits IN ${list(digits)}
    )${rowFilters(filters, values)}
    ORDER BY p.status, p.sku LIMIT ${EXACT_MAX}))`;
}

/** How many products match each expression of a JSON array, counted no further than COUNTED_MAX + 1. */
const countMatches = (expressions: string) => `SELECT wanted.value AS expression, (
    SELECT count(*) FROM (SELECT 1 FROM product_search WHERE product_search MATCH wanted.value LIMIT ${COUNTED_MAX + 1})
  ) AS matches FROM json_each(${expressions}) wanted`;

/** Known words that share trigrams with one. */
export function findAlike(expression: string): Statement {
  const sql = `SELECT v.word FROM vocabulary_trigrams t JOIN vocabulary v ON v.id = t.rowid
    WHERE vocabulary_trigrams MATCH ?1 ORDER BY rank LIMIT 60`;
  return { sql, values: [expression] };
}

/** Known words that begin with one, the shortest first. */
export function findCompletions(beginning: string): Statement {
  const sql = `SELECT word FROM vocabulary WHERE word > ?1 AND word < ?1 || char(1114111)
    ORDER BY length(word), word LIMIT ${COMPLETIONS_MAX}`;
  return { sql, values: [beginning] };
}

/**
 * Looks for products, in one row: `exact`, those whose code was typed; `total`, active products in the
 * catalog; `matches`, how many products meet each slot; `candidates`, what scoring and a page read of them
 * (readCandidates() in ranking.ts); `complete`, 0 where there were more.
 *
 * Readings are walked one after the other, each in the index's order, the best first, and SQLite stops
 * when it has enough: a common word costs no more than another. Where few products have every word, those
 * that have some stand beside them, and whatever has a rare one.
 */
export function lookUp(query: Query, filters: Filters, limits = CANDIDATES): Statement {
  const values = new Values();
  const slots = values.bind(JSON.stringify(query.slots.map(matchSlot)));
  const facets = matchFacets(filters);
  const conditions = rowFilters(filters, values);
  // A product's row is long: it is looked at only where there is something to ask of it.
  const products = conditions === "" ? "" : `CROSS JOIN products p ON p.id = ${PRODUCT_ID}`;
  const { all, some } = readings(query.slots);
  const walk = (expressions: string[], limit: number) => {
    const list = JSON.stringify(expressions.map((expression) => `(${expression})${facets}`));
    return `SELECT DISTINCT w.rowid AS id FROM json_each(${values.bind(list)}) reading
      CROSS JOIN product_search w ${products}
      WHERE product_search MATCH reading.value${conditions} LIMIT ${limit}`;
  };
  const few = `(SELECT count(*) FROM every) < ${limits.enough}`;
  const exact = exactHits(query, filters, values);
  // One by one, and not over json_each(): a table-valued function for every row costs more than the search.
  const inRest = attributeNeedles(query).map(
    (needle, slot) => `((instr(w.rest, ${values.bind(needle)}) > 0) << ${slot})`,
  );
  // One cell of text, not 100 rows: between D1 and the Worker every cell has its price.
  const sql = `WITH survey AS MATERIALIZED (${countMatches(slots)}),
    every AS MATERIALIZED (${walk(all, limits.all)}),
    partial AS MATERIALIZED (SELECT id FROM (${walk(some, limits.some)}) WHERE ${few}),
    rare AS MATERIALIZED (
      SELECT w.rowid AS id FROM survey CROSS JOIN product_search w ${products}
      WHERE matches <= ${RARE_MAX} AND ${few}
        AND product_search MATCH expression || ${values.bind(facets)}${conditions}
    ),
    hits AS MATERIALIZED (SELECT id FROM every UNION SELECT id FROM partial UNION SELECT id FROM rare)
    SELECT ${exact} AS exact,
      (SELECT active_products FROM catalog_state) AS total,
      (SELECT json_group_array(matches) FROM survey) AS matches,
      coalesce(group_concat(w.product_id || char(9) || (${inRest.join(" | ")}) || char(9) ||
        (w.id >> 40 >= ${DISCONTINUED_TIER}) || char(9) || w.head || char(9) ||
        w.title || w.brand || w.detail || char(9) || w.joined || char(9) || ${SUMMARY_CELL}, char(10)), '') AS candidates,
      (SELECT count(*) FROM every) < ${limits.all} AND (SELECT count(*) FROM partial) < ${limits.some} AS complete
    FROM hits JOIN product_words w ON w.id = hits.id
    CROSS JOIN products p ON p.id = w.product_id CROSS JOIN categories c ON c.id = p.category_id`;
  return { sql, values: values.list };
}

/** Whether any product matches, one row. */
export function matchesAny(expression: string): Statement {
  return {
    sql: "SELECT EXISTS (SELECT 1 FROM product_search WHERE product_search MATCH ?1) AS found",
    values: [expression],
  };
}

// Every key sorts ascending, so that one comparison continues any of them.
const SORT_KEYS = {
  price_asc: "p.price_minor * 1.0 / p.minor_per_major",
  price_desc: "-p.price_minor * 1.0 / p.minor_per_major",
  // Cut, because the key of a page's last row goes into its cursor.
  name: "substr(lower(p.name), 1, 100)",
} as const;
export type ColumnSort = keyof typeof SORT_KEYS;

/** A page of all matches in a column's order; `after` is the sort key and SKU of the last row seen. */
export function sortedPage(
  expression: string,
  filters: Filters,
  sort: ColumnSort,
  limit: number,
  after: readonly [key: string | number, sku: string] | undefined,
): Statement {
  const values = new Values();
  const walk = `SELECT p.id, p.sku, ${SORT_KEYS[sort]} AS sort_key
    FROM product_search w JOIN products p ON p.id = ${PRODUCT_ID}
    WHERE product_search MATCH ${values.bind(`(${expression})${matchFacets(filters)}`)}${rowFilters(filters, values)}
    LIMIT ${SORTED_MAX}`;
  const onward = after ? `WHERE (sort_key, sku) > (${values.bind(after[0])}, ${values.bind(after[1])})` : "";
  const sql = `WITH walked AS MATERIALIZED (${walk}),
    shown AS (SELECT * FROM walked ${onward} ORDER BY sort_key, sku LIMIT ${values.bind(limit)})
    SELECT shown.*, ${SUMMARY_CELL} AS summary, (SELECT count(*) FROM walked) AS walked
    FROM shown JOIN products p ON p.id = shown.id JOIN categories c ON c.id = p.category_id
    ORDER BY shown.sort_key, shown.sku`;
  return { sql, values: values.list };
}
