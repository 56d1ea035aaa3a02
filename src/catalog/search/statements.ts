import type { Statement } from "../../database/statement.ts";
import { type Filters, matchFacets } from "./facets.ts";
import { type Query, identifierCodes } from "./query.ts";
import { attributeNeedles } from "./ranking.ts";

// Every statement of search. Values are bound, lists as one JSON value, so none comes near D1's
// bounds; the SQL itself is put together from constants alone.

/** Above this many matches a word is common: it is counted no further, and bm25(), which visits every match, is not asked. */
export const COMMON = 500;
/** Candidates that are fetched and scored: that many of any match, and as many of the common walk. */
export const KEEP = 150;
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
  if (brand !== undefined) parts.push(`p.brand = ${values.bind(brand)}`);
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

/** The index's rows that match, in its order, with their products at hand as `p`. */
function matching(expression: string, filters: Filters, values: Values): string {
  const match = values.bind(`(${expression})${matchFacets(filters)}`);
  return `product_search w JOIN products p ON p.id = ${PRODUCT_ID}
    WHERE product_search MATCH ${match}${rowFilters(filters, values)}`;
}

/** Products whose SKU, GTIN or model is what was typed. */
export function findExact(query: Query, filters: Filters): Statement {
  const values = new Values();
  const typed = values.bind(
    JSON.stringify(query.identifiers.flatMap((code) => [code, code.toUpperCase(), code.toLowerCase()])),
  );
  const plain = values.bind(JSON.stringify(identifierCodes(query)));
  const digits = values.bind(JSON.stringify(identifierCodes(query).map((code) => code.replace(/^0+/, ""))));
  const sql = `SELECT p.id, p.sku FROM products p
    WHERE p.id IN (
      SELECT id FROM products WHERE sku IN (SELECT value FROM json_each(${typed}))
      UNION ALL SELECT id FROM products WHERE model_code <> '' AND model_code IN (SELECT value FROM json_each(${plain}))
      UNION ALL SELECT id FROM products WHERE gtin_digits <> '' AND gtin_digits IN (SELECT value FROM json_each(${digits}))
    )${rowFilters(filters, values)}
    ORDER BY p.status, p.sku LIMIT ${EXACT_MAX}`;
  return { sql, values: values.list };
}

/** How many products match each expression, counted no further than COMMON + 1. */
export function countMatches(expressions: readonly string[]): Statement {
  const sql = `SELECT (
      SELECT count(*) FROM (SELECT 1 FROM product_search WHERE product_search MATCH wanted.value LIMIT ${COMMON + 1})
    ) AS matches FROM json_each(?1) wanted ORDER BY wanted.key`;
  return { sql, values: [JSON.stringify(expressions)] };
}

export const countProducts: Statement = { sql: "SELECT active_products FROM catalog_state", values: [] };

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

/** Where matches are few: all of them compete, and bm25() picks. Weights are those of the columns, in order. */
export function rareCandidates(query: Query, expression: string, filters: Filters): Statement {
  const values = new Values();
  const hits = `SELECT w.rowid AS id FROM ${matching(expression, filters, values)}
    ORDER BY bm25(product_search, 3, 10, 5, 5, 5, 1, 0) LIMIT ${KEEP}`;
  return candidates(query, hits, values);
}

/**
 * Where matches are many: the first KEEP in the index's order, the best first, of the strictest
 * expression, then of the next. SQLite reads them one after the other and stops when it has enough,
 * so the looser ones cost nothing while a strict one suffices.
 */
export function commonCandidates(query: Query, expressions: readonly string[], filters: Filters): Statement {
  const values = new Values();
  const walks = expressions.map(
    (expression) =>
      `SELECT * FROM (SELECT w.rowid AS id FROM ${matching(expression, filters, values)} LIMIT ${KEEP})`,
  );
  return candidates(query, `SELECT DISTINCT id FROM (${walks.join(" UNION ALL ")}) LIMIT ${KEEP}`, values);
}

function candidates(query: Query, hits: string, values: Values): Statement {
  const needles = values.bind(JSON.stringify(attributeNeedles(query)));
  const sql = `WITH hits AS MATERIALIZED (${hits})
    SELECT p.id, p.sku, w.head, w.title, w.brand, w.detail, w.joined, p.status = 'discontinued' AS discontinued,
      (SELECT total(1 << needle.key) FROM json_each(${needles}) needle WHERE instr(w.rest, needle.value) > 0) AS in_rest
    FROM hits JOIN product_words w ON w.id = hits.id JOIN products p ON p.id = w.product_id`;
  return { sql, values: values.list };
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
    FROM ${matching(expression, filters, values)} LIMIT ${SORTED_MAX}`;
  const onward = after ? `WHERE (sort_key, sku) > (${values.bind(after[0])}, ${values.bind(after[1])})` : "";
  const sql = `WITH walked AS MATERIALIZED (${walk})
    SELECT *, (SELECT count(*) FROM walked) AS walked FROM walked ${onward}
    ORDER BY sort_key, sku LIMIT ${values.bind(limit)}`;
  return { sql, values: values.list };
}
