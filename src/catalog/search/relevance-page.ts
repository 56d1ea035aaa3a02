import type { Statement } from "../../database/statement.ts";
import { summaryCell } from "../product.ts";
import { type Filters, matchEverything } from "./facets.ts";
import {
  NOW,
  PRODUCT_ID,
  Values,
  knownSlots,
  matchAll,
  matchSome,
  narrowing,
  rowFilters,
} from "./match-conditions.ts";
import { IS_DISCONTINUED } from "./product-words.ts";
import { type Query, typedSlots } from "./query.ts";
import { scoreOf, scoredNames } from "./score.ts";
import type { Known } from "./vocabulary.ts";
import { plainCode } from "./words.ts";

/** Limits on the products that are scored. */
export const CANDIDATES = {
  /** Products that have every word. */
  all: 60,
  /** So many products with every word suffice; then partial matches are not looked for. */
  enough: 15,
  /** Products that have some of the words: for each combination of words, and in total. */
  some: 20,
  someTotal: 30,
};
const EXACT_MAX = 50;
const DISCONTINUED = 0.9;
const SUMMARY = summaryCell(NOW);

/** SQL for the products whose SKU, GTIN or model number was typed. */
function exactHits(query: Query, values: Values): string | undefined {
  const all = [...query.identifiers, ...query.codes];
  if (all.length === 0) return undefined;
  const list = (codes: readonly string[]) =>
    `(SELECT value FROM json_each(${values.bind(JSON.stringify(codes))}))`;
  const typed = all.flatMap((code) => [code, code.toUpperCase(), code.toLowerCase()]);
  const digits = all.map((code) => plainCode(code).replace(/^0+/, ""));
  return `SELECT id FROM products WHERE sku IN ${list(typed)}
      UNION SELECT id FROM products WHERE model_code <> '' AND model_code IN ${list(query.identifiers.map(plainCode))}
      UNION SELECT id FROM products WHERE gtin_digits <> '' AND gtin_digits IN ${list(digits)}
      LIMIT ${EXACT_MAX}`;
}

/**
 * A page of products by relevance, of each group the variant with the highest score. Returns a row for each: its SKU, summary,
 * and `cut`, 1 if more products may have every word than were scored.
 *
 * SQLite visits candidates in the index's order, short titles first, and stops when it has enough, so a common word costs no
 * more than a rare one. Without `known`, no word is corrected, and partial matches of a query with an unknown word are not read.
 *
 * Every mention of a common table expression is compiled anew, so each part of the statement stands where it is used.
 */
export function findPage(
  query: Query,
  known: Known | undefined,
  filters: Filters & { now: number },
  limit: number,
  offset: number,
): Statement {
  const values = new Values(filters.now);
  const slots = known === undefined ? typedSlots(query) : knownSlots(known);
  const narrow = narrowing(query, filters, known?.settled ?? true);
  const all = query.words.length === 0 ? [matchEverything(known?.settled ?? true)] : matchAll(slots);
  const narrowed = all.map((expression) => `(${expression})${narrow}`);
  const conditions = rowFilters(filters, values);
  // A product's row is long, so it is joined only if a condition needs it.
  const products = conditions === "" ? "" : `CROSS JOIN products p ON p.id = ${PRODUCT_ID}`;
  const typed = exactHits(query, values);
  const exact = typed && `(SELECT p.id FROM products p WHERE p.id IN (${typed})${conditions})`;
  const full = `SELECT DISTINCT w.rowid AS id FROM json_each(${values.bind(JSON.stringify(narrowed))}) reading
    CROSS JOIN product_search w ${products}
    WHERE product_search MATCH reading.value${conditions}
    LIMIT ${CANDIDATES.all}`;
  const partial = `SELECT DISTINCT w.id FROM (
      SELECT value AS expression FROM json_each(${values.bind(JSON.stringify(matchSome(slots, narrow)))})
      ORDER BY key & (key - 1) = 0, (SELECT sum(weight) FROM names WHERE attribute > '' AND key >> slot & 1) DESC LIMIT -1) choice
    CROSS JOIN product_words w ON w.id IN (
      SELECT w.rowid FROM product_search w ${products}
      WHERE product_search MATCH choice.expression${conditions} LIMIT ${CANDIDATES.some})
    LIMIT ${CANDIDATES.someTotal}`;
  // The index of SKUs heeds case, so a SKU of small and capital letters is recognised among the candidates.
  const mixed = query.codes.filter((code) => /[^\p{L}]/u.test(code));
  const isMixed = () =>
    `sku COLLATE NOCASE IN (SELECT value FROM json_each(${values.bind(JSON.stringify(mixed))}))`;
  const orMixed = mixed.length > 0 ? ` OR (SELECT ${isMixed()} FROM products WHERE id = w.product_id)` : "";
  const isExact = exact ? `w.product_id IN ${exact}${orMixed}` : 0;
  const scored = `SELECT w.id, w.product_id, w.group_id, every, ${isExact} AS is_exact,
      coalesce((${scoreOf(slots)}), 1) * iif(${IS_DISCONTINUED("w.id")}, ${DISCONTINUED}, 1) AS score
    FROM (SELECT json_group_array(id) AS ids, count(*) AS every FROM (${full})) CROSS JOIN product_words w ON w.id IN (
      SELECT value FROM json_each(ids)
      UNION ALL SELECT value FROM json_each(iif(every < ${CANDIDATES.enough} AND (SELECT min(products) FROM names) > 0, (SELECT json_group_array(id) FROM (${partial})), '[]'))
      ${exact ? `UNION ALL SELECT id FROM product_words WHERE product_id IN ${exact}` : ""})`;
  // With max(), SQLite takes the other columns from the row of the maximum. Without the LIMIT it would score each row twice.
  const best = `SELECT *, max(is_exact * 1e9 + score) FROM (${scored} LIMIT -1) GROUP BY coalesce(group_id, -product_id)`;
  // A statement whose LIMIT is a parameter is compiled a second time once the parameter is bound; a sum is not looked into.
  const sql = `WITH names AS MATERIALIZED (${scoredNames(slots, values)})
    SELECT p.sku, ${SUMMARY} || '' AS summary, every = ${CANDIDATES.all} AS cut
    FROM (${best} ORDER BY is_exact DESC, score DESC, id LIMIT 0 + ${values.bind(limit)} OFFSET 0 + ${values.bind(offset)}) shown
    CROSS JOIN products p ON p.id = shown.product_id CROSS JOIN categories c ON c.id = p.category_id
    ORDER BY is_exact DESC, score DESC, shown.id`;
  return { sql, values: values.list };
}
