import type { Statement } from "../../database/statement.ts";
import { summaryCell } from "../product.ts";
import { type Filters, matchEverything } from "./facets.ts";
import {
  PRODUCT_ID,
  Values,
  knownSlots,
  matchAll,
  matchSome,
  narrowing,
  rowFilters,
} from "./match-conditions.ts";
import { IS_DISCONTINUED } from "./product-words.ts";
import { type Query, type Slot, typedSlots } from "./query.ts";
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
  someTotal: 50,
};
const EXACT_MAX = 50;
/** Names of words that are scored in one search. Each is a bound value, of which D1 allows 100 in a statement. */
const NAMES_MAX = 56;

/** BM25: https://en.wikipedia.org/wiki/Okapi_BM25. A title (with brand and model) counts three times as much as a text. */
const K1 = 1.2;
const B = 0.75;
const FIELDS = { title: 3, text: 1, attributes: 0.5 };
/** Share of the score that is added if all neighbours in the query are neighbours in the title. */
const NEIGHBOURS = 0.2;
const DISCONTINUED = 0.9;

/** SQL for the best row of each group in `scored`: with max(), SQLite takes the other columns from the row of the maximum. */
const BEST = `(SELECT *, max(is_exact * 1e9 + score) FROM scored GROUP BY coalesce(group_id, -product_id))`;

/** SQL for the products whose SKU, GTIN or model number was typed. */
function exactHits(query: Query, values: Values): string {
  const all = [...query.identifiers, ...query.codes];
  if (all.length === 0) return "SELECT 0 AS id WHERE 0";
  const list = (codes: readonly string[]) =>
    `(SELECT value FROM json_each(${values.bind(JSON.stringify(codes))}))`;
  const typed = all.flatMap((code) => [code, code.toUpperCase(), code.toLowerCase()]);
  const digits = all.map((code) => plainCode(code).replace(/^0+/, ""));
  return `SELECT id FROM products WHERE sku IN ${list(typed)}
      UNION SELECT id FROM products WHERE model_code <> '' AND model_code IN ${list(query.identifiers.map(plainCode))}
      UNION SELECT id FROM products WHERE gtin_digits <> '' AND gtin_digits IN ${list(digits)}
      LIMIT ${EXACT_MAX}`;
}

/** SQL for how well a product satisfies a slot, from 0 to 1, by the best of its first `most` names. */
function metSlot({ names }: Slot, most: number, values: Values): string {
  const met = names.slice(0, most).map(({ phrase, weight }, index) => {
    const needle = values.bind(` ${phrase} `);
    const inName = `(octet_length(title) - octet_length(replace(title, ${needle}, ' '))) / (octet_length(${needle}) - 1)`;
    const inText = `(instr(text, ${needle}) > 0)`;
    const shown = `${FIELDS.title} * ${inName} / title_norm + ${FIELDS.text} * ${inText} / text_norm`;
    // Attributes are long, so they are searched only for words that no other field has.
    const times =
      index > 0
        ? shown
        : `iif(instr(title, ${needle}) OR ${inText}, ${shown}, ${FIELDS.attributes} * (instr(rest, ' a_' || substr(${needle}, 2)) > 0))`;
    return `${weight} * (1 - ${K1} / (${K1} + ${times}))`;
  });
  return met.length === 1 ? (met[0] ?? "0") : `max(${met.join(", ")})`;
}

/**
 * A page of products by relevance. Returns one row: `hits`, a JSON array of [SKU, summary, group or null]; `complete`, 0 if more
 * products have every word than were scored. `collapse` shows of each group only the variant with the highest score; it reads a
 * fifth more rows.
 *
 * SQLite visits candidates in the index's order, short titles first, and stops when it has enough, so a common word costs no
 * more than a rare one. The score is BM25 times the share of the query's weight that a product satisfies. Without `known`, no
 * word is corrected.
 */
export function findPage(
  query: Query,
  known: Known | undefined,
  filters: Filters & { now: number },
  limit: number,
  offset: number,
  { collapse = false, limits = CANDIDATES } = {},
): Statement {
  const values = new Values();
  const now = values.bind(filters.now);
  const slots = known === undefined ? typedSlots(query) : knownSlots(known);
  const narrow = narrowing(query, filters, known?.settled ?? true);
  const all = query.words.length === 0 ? [matchEverything(known?.settled ?? true)] : matchAll(slots);
  const narrowed = all.map((expression) => `(${expression})${narrow}`);
  const some = matchSome(slots, narrow);
  const conditions = rowFilters(filters, values, now);
  // A product's row is long, so it is joined only if a condition needs it.
  const products = conditions === "" ? "" : `CROSS JOIN products p ON p.id = ${PRODUCT_ID}`;
  const namesEach = Math.max(1, Math.floor(NAMES_MAX / slots.length));
  const met = slots.map((slot, index) => `${metSlot(slot, namesEach, values)} AS s${index}`);
  const chosen = slots.map((_, index) => `(choice.key >> ${index} & 1) * w${index}`);
  const sql = `WITH known AS MATERIALIZED (${weigh(slots, values)}),
    exact AS MATERIALIZED (
      SELECT w.rowid AS id FROM (${exactHits(query, values)}) typed CROSS JOIN product_words w ON w.product_id = typed.id
      ${products} WHERE 1${conditions}),
    every AS MATERIALIZED (
      SELECT DISTINCT w.rowid AS id
      FROM json_each(${values.bind(JSON.stringify(narrowed))}) reading
      CROSS JOIN product_search w ${products}
      WHERE product_search MATCH reading.value${conditions} LIMIT ${limits.all}),
    counted AS MATERIALIZED (SELECT count(*) AS every FROM every),
    choices AS MATERIALIZED (
      SELECT choice.value AS expression FROM known CROSS JOIN json_each(${values.bind(JSON.stringify(some))}) choice
      ORDER BY choice.key & (choice.key - 1) = 0, ${chosen.join(" + ") || "1"} DESC),
    partial AS MATERIALIZED (
      SELECT DISTINCT w.id FROM choices CROSS JOIN product_words w ON w.id IN (
        SELECT w.rowid FROM product_search w ${products}
        WHERE product_search MATCH choices.expression${conditions} LIMIT ${limits.some})
      WHERE (SELECT every FROM counted) < ${limits.enough} LIMIT ${limits.someTotal}),
    scored AS (
      SELECT product_id, group_id, id IN exact AS is_exact, (${scoreOf(slots, values)}) AS score, id FROM (
        SELECT *, ${["1", ...met].join(", ")} FROM (
          SELECT id, product_id, group_id, title || brand AS title, detail || head || joined AS text, rest, known.*,
            ${1 - B} + ${B} * (octet_length(title) + octet_length(brand)) / title_bytes AS title_norm,
            ${1 - B} + ${B} * octet_length(detail) / text_bytes AS text_norm
          FROM known CROSS JOIN product_words
          WHERE id IN (SELECT id FROM exact UNION ALL SELECT id FROM every UNION ALL SELECT id FROM partial) LIMIT -1)
        LIMIT -1)),
    shown AS MATERIALIZED (
      SELECT * FROM ${collapse ? BEST : "scored"} ORDER BY is_exact DESC, score DESC, id LIMIT ${values.bind(limit)} OFFSET ${values.bind(offset)})
    SELECT (SELECT every FROM counted) < ${limits.all} AS complete,
      (SELECT json_group_array(json_array(sku, summary, group_id)) FROM (
        SELECT p.sku, p.group_id, ${summaryCell(now)} || '' AS summary FROM shown CROSS JOIN products p ON p.id = shown.product_id
        CROSS JOIN categories c ON c.id = p.category_id
        ORDER BY shown.is_exact DESC, shown.score DESC, shown.id)) AS hits`;
  return { sql, values: values.list };
}

/** SQL for one row: the slots' weights w0, w1, ... as in BM25 (rare words weigh more), and the mean bytes of title and text. */
function weigh(slots: readonly Slot[], values: Values): string {
  const counts = slots.map(({ names: [typed], products }) =>
    products === undefined
      ? `coalesce((SELECT products FROM word_counts WHERE word = ${values.bind(typed?.phrase ?? "")}), 0)`
      : values.bind(products),
  );
  const weights = counts.map(
    (_, index) => `ln(1 + (max(total - n${index}, 0) + 0.5) / (n${index} + 0.5)) AS w${index}`,
  );
  return `SELECT ${["title_bytes / total AS title_bytes, text_bytes / total AS text_bytes", ...weights].join(", ")}
    FROM (SELECT ${["max(1.0, words_products) AS total, max(1, title_bytes) AS title_bytes, max(1, text_bytes) AS text_bytes", ...counts.map((count, index) => `${count} AS n${index}`)].join(", ")}
      FROM catalog_state LIMIT 1)`;
}

/** SQL for a product's score: the weighted slots, times the share of the weight that is satisfied, neighbours and status. */
function scoreOf(slots: readonly Slot[], values: Values): string {
  const sum = (term: (index: number) => string) =>
    slots.map((_, index) => `w${index} * ${term(index)}`).join(" + ") || "1";
  const typed = slots.map(({ names }) => names[0]?.phrase ?? "");
  const pairs = typed.slice(1).map((word, index) => ` ${typed[index] ?? ""} ${word} `);
  const near = pairs.map((pair) => `(instr(title, ${values.bind(pair)}) > 0)`).join(" + ");
  return `(${sum((index) => `s${index}`)}) * (${sum((index) => `(s${index} > 0)`)})
    * (1 + ${NEIGHBOURS} * (${near || "0"}) / ${Math.max(1, pairs.length)}.0)
    * iif(${IS_DISCONTINUED("id")}, ${DISCONTINUED}, 1)`;
}
