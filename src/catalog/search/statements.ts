import { spellings } from "../../text/spellings.ts";
import type { Statement } from "../../database/statement.ts";
import { SUMMARY_CELL } from "../product.ts";
import { type Filters, bandRange, matchEverything, matchFacets } from "./facets.ts";
import { DISCONTINUED_TIER } from "./product-words.ts";
import { type Query, type Slot, typedSlots } from "./query.ts";
import type { Known } from "./vocabulary.ts";
import { attributeWord, plainCode } from "./words.ts";

// The statements that look for products. Values are bound, lists as one JSON value, so that none comes near D1's
// bounds; the SQL itself is put together from constants alone.

/** How many products are scored at the most. */
export const CANDIDATES = {
  /** That have every word. */
  all: 60,
  /** So many of those suffice: others are not looked for. */
  enough: 15,
  /** That have some of the words, for each choice of words, and for all of them. */
  some: 20,
  someTotal: 50,
};
/** Choices are made from so many words, the rarest. */
export const CHOSEN_FROM_MAX = 6;
/** Words that may be missing; behind those choices single words are looked for, so that a long query finds something. */
const LEFT_OUT_MAX = 2;
/** Rows that a sort takes in at the most; by price of all matches, and if there are more, of a band. */
const SORTED_MAX = { price: 250, name: 10_000 };
const EXACT_MAX = 50;
/** product_words' id is tier << 40 | product_id. */
export const PRODUCT_ID = "(w.rowid & 1099511627775)";

/** BM25: https://en.wikipedia.org/wiki/Okapi_BM25. A title (with brand and model) counts three times as much as a text. */
const K1 = 1.2;
const B = 0.75;
const FIELDS = { title: 3, text: 1, attributes: 0.5 };
/** Added for each pair of neighbours in the query that are neighbours in the title, as a share of the score. */
const NEIGHBOURS = 0.2;
const DISCONTINUED = 0.9;

export class Values {
  readonly list: Statement["values"] = [];
  bind(value: string | number): string {
    return `?${this.list.push(value)}`;
  }
}

/** What an index of words can't decide, or not exactly, as conditions on `p`. */
export function rowFilters(
  { category, brand, minPrice, maxPrice, inStock }: Filters,
  values: Values,
): string {
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

/** The products whose SKU, GTIN or model is what was typed. */
function exactHits(query: Query, values: Values): string {
  const all = [...query.identifiers, ...query.parts];
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

// FTS5 expressions. Every token stands in quotes and holds letters, digits, dots and our own underscores alone:
// whatever was typed is text, never syntax.

const quoted = (phrase: string) => `"${phrase}"`;
const anywhere = ({ names }: Slot) => {
  const [typed] = names;
  const rest = typed === undefined ? [] : [quoted(attributeWord(typed.phrase))];
  return `(${[...names.map(({ phrase }) => quoted(phrase)), ...rest].join(" OR ")})`;
};
const inTitle = ({ names }: Slot) =>
  `({title brand} : (${names.map(({ phrase }) => quoted(phrase)).join(" OR ")}))`;

/** What products must be and must not have, to stand behind an expression in brackets. */
function narrowing(query: Query, filters: Filters, settled: boolean): string {
  const without = query.excluded.map(
    (word) => ` NOT ({title brand rest} : (${quoted(word)} OR ${quoted(attributeWord(word))}))`,
  );
  return `${matchFacets(filters, settled)}${without.join("")}`;
}

/** A word that no product has is not looked for. */
const knownSlots = ({ slots }: Known) => slots.filter(({ products }) => products !== 0);

/** All words, in titles first, then anywhere. */
const matchAll = (slots: readonly Slot[]) =>
  slots.length === 0 ? [] : [slots.map(inTitle).join(" AND "), slots.map(anywhere).join(" AND ")];

/** Expressions for some of the words, by the slots as bits; of many words, the rarest are chosen from. */
function matchSome(slots: readonly Slot[], narrow: string): Record<number, string> {
  const chosenFrom = slots
    .map((slot, index) => ({ match: anywhere(slot), bit: 2 ** index, products: slot.products ?? 0 }))
    .toSorted((a, b) => a.products - b.products)
    .slice(0, CHOSEN_FROM_MAX);
  const count = chosenFrom.length;
  const choices = Array.from({ length: Math.max(0, 2 ** count - 2) }, (_, index) =>
    chosenFrom.filter((__, at) => (((index + 1) >> at) & 1) === 1),
  ).filter((chosen) => chosen.length === 1 || chosen.length >= count - LEFT_OUT_MAX);
  return Object.fromEntries(
    choices.map((chosen) => [
      chosen.reduce((sum, { bit }) => sum + bit, 0),
      `(${chosen.map(({ match }) => match).join(" AND ")})${narrow}`,
    ]),
  );
}

/** How far each slot is met, from 0 to 1, by the best of its names. */
function metSlot({ names }: Slot, values: Values): string {
  const met = names.map(({ phrase, weight }, index) => {
    const needle = values.bind(` ${phrase} `);
    const inName = `(octet_length(title) - octet_length(replace(title, ${needle}, ' '))) / (octet_length(${needle}) - 1)`;
    const inText = `(instr(text, ${needle}) > 0)`;
    const shown = `${FIELDS.title} * ${inName} / title_norm + ${FIELDS.text} * ${inText} / text_norm`;
    // Attributes are long: they are looked at only for what nothing else holds.
    const times =
      index > 0
        ? shown
        : `iif(instr(title, ${needle}) OR ${inText}, ${shown}, ${FIELDS.attributes} * (instr(rest, ' a_' || substr(${needle}, 2)) > 0))`;
    return `${weight} * (1 - ${K1} / (${K1} + ${times}))`;
  });
  return met.length === 1 ? (met[0] ?? "0") : `max(${met.join(", ")})`;
}

/**
 * Products by relevance from a place on, one row: `hits`, a JSON array of [SKU, summary]; `complete`, 0 if more
 * products have every word than were scored.
 *
 * Candidates are walked in the index's order, short titles first, and SQLite stops when it has enough: a common
 * word costs no more than a rare one. Then BM25 over them, times the share of the query's weight that is met.
 * Without `known` the words are taken as they were typed.
 */
export function findPage(
  query: Query,
  known: Known | undefined,
  filters: Filters,
  limit: number,
  offset: number,
  limits = CANDIDATES,
): Statement {
  const values = new Values();
  const slots = known === undefined ? typedSlots(query) : knownSlots(known);
  const narrow = narrowing(query, filters, known?.settled ?? true);
  const all = query.words.length === 0 ? [matchEverything(known?.settled ?? true)] : matchAll(slots);
  const narrowed = all.map((expression) => `(${expression})${narrow}`);
  const some = matchSome(slots, narrow);
  const conditions = rowFilters(filters, values);
  // A product's row is long: it is looked at only if there is something to ask of it.
  const products = conditions === "" ? "" : `CROSS JOIN products p ON p.id = ${PRODUCT_ID}`;
  const met = slots.map((slot, index) => `${metSlot(slot, values)} AS s${index}`);
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
    shown AS MATERIALIZED (
      SELECT product_id, id IN exact AS is_exact, (${scoreOf(slots, values)}) AS score, id FROM (
        SELECT *, ${["1", ...met].join(", ")} FROM (
          SELECT id, product_id, title || brand AS title, detail || head || joined AS text, rest, known.*,
            ${1 - B} + ${B} * (octet_length(title) + octet_length(brand)) / title_bytes AS title_norm,
            ${1 - B} + ${B} * octet_length(detail) / text_bytes AS text_norm
          FROM known CROSS JOIN product_words
          WHERE id IN (SELECT id FROM exact UNION ALL SELECT id FROM every UNION ALL SELECT id FROM partial) LIMIT -1)
        LIMIT -1)
      ORDER BY is_exact DESC, score DESC, id LIMIT ${values.bind(limit)} OFFSET ${values.bind(offset)})
    SELECT (SELECT every FROM counted) < ${limits.all} AS complete,
      (SELECT json_group_array(json_array(sku, summary)) FROM (
        SELECT p.sku, ${SUMMARY_CELL} || '' AS summary FROM shown CROSS JOIN products p ON p.id = shown.product_id
        CROSS JOIN categories c ON c.id = p.category_id
        ORDER BY shown.is_exact DESC, shown.score DESC, shown.id)) AS hits`;
  return { sql, values: values.list };
}

/**
 * One row: the slots' weights w0, w1, ... and the bytes of a usual title and text. The weight is BM25's: the fewer
 * products have a word, the more it says.
 */
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

/** The slots' scores by weight, times the share of the weight that is met, and what neighbours and status do to it. */
function scoreOf(slots: readonly Slot[], values: Values): string {
  const sum = (term: (index: number) => string) =>
    slots.map((_, index) => `w${index} * ${term(index)}`).join(" + ") || "1";
  const typed = slots.map(({ names }) => names[0]?.phrase ?? "");
  const pairs = typed.slice(1).map((word, index) => ` ${typed[index] ?? ""} ${word} `);
  const near = pairs.map((pair) => `(instr(title, ${values.bind(pair)}) > 0)`).join(" + ");
  return `(${sum((index) => `s${index}`)}) * (${sum((index) => `(s${index} > 0)`)})
    * (1 + ${NEIGHBOURS} * (${near || "0"}) / ${Math.max(1, pairs.length)}.0)
    * iif(id >> 40 >= ${DISCONTINUED_TIER}, ${DISCONTINUED}, 1)`;
}

/** What has every word, or, if no product has, any word: an SQL expression. */
export function matchEveryOrAny(query: Query, known: Known, filters: Filters, values: Values): string {
  const slots = knownSlots(known);
  const narrow = narrowing(query, filters, known.settled);
  const any = slots.map(anywhere).join(" OR ") || matchEverything(known.settled);
  const every = values.bind(`(${slots.map(anywhere).join(" AND ") || any})${narrow}`);
  return `iif(EXISTS (SELECT 1 FROM product_search WHERE product_search MATCH ${every}), ${every}, ${values.bind(`(${any})${narrow}`)})`;
}

// Every key sorts ascending, so that one comparison continues any of them.
const SORT_KEYS = {
  price_asc: "p.price_minor * 1.0 / p.minor_per_major",
  price_desc: "-p.price_minor * 1.0 / p.minor_per_major",
  // Cut, because the key of a page's last row goes into its cursor.
  name: "substr(lower(p.name), 1, 100)",
} as const;
export type ColumnSort = keyof typeof SORT_KEYS;

/**
 * A page of all matches in a column's order; `after` is the sort key and SKU of the last row seen. Products that have
 * every word, or, if there are none, any word. A row's `cut` is 1 if there may be others before it that were not read.
 *
 * By price, more matches than a sort takes in are walked band by band, from the page's first price on.
 */
export function sortedPage(
  query: Query,
  known: Known,
  filters: Filters,
  sort: ColumnSort,
  limit: number,
  after: readonly [key: string | number, sku: string] | undefined,
): Statement {
  const values = new Values();
  const key = SORT_KEYS[sort];
  const max = sort === "name" ? SORTED_MAX.name : SORTED_MAX.price;
  const match = matchEveryOrAny(query, known, filters, values);
  const conditions = rowFilters(filters, values);
  const page = values.bind(limit);
  const onward = after ? ` AND (${key}, p.sku) > (${values.bind(after[0])}, ${values.bind(after[1])})` : "";
  const walk = (band: string, tables: string, where: string) =>
    `SELECT p.id, p.sku, ${key} AS sort_key, ${band} AS band FROM ${tables} CROSS JOIN products p ON p.id = ${PRODUCT_ID}
      WHERE product_search MATCH ${match}${where}${conditions}`;
  const inBand = ` || ' AND "' || band.word || '"'${onward}`;
  const few = `few AS MATERIALIZED (${walk("''", "product_search w", "")} LIMIT ${max})`;
  // The bands need every product's words; names have none.
  const bands = sort === "name" || !known.settled ? undefined : bandsOf(sort, filters, after?.[0], values);
  const walked =
    bands === undefined
      ? `${few}, last AS (SELECT '' AS word), walked AS MATERIALIZED (SELECT * FROM few)`
      : `${few},
    near AS MATERIALIZED (
      ${walk("band.word", `(${bands}) band CROSS JOIN product_search w`, `${inBand} AND (SELECT count(*) FROM few) = ${max}`)} LIMIT ${page}),
    last AS MATERIALIZED (SELECT ${sort === "price_desc" ? "min" : "max"}(band) AS word FROM near HAVING count(*) = ${page}),
    walked AS MATERIALIZED (
      SELECT * FROM few WHERE (SELECT count(*) FROM few) < ${max}
      UNION ALL SELECT * FROM near WHERE band IS NOT (SELECT word FROM last)
      UNION ALL SELECT * FROM (${walk("band.word", "last band CROSS JOIN product_search w", inBand)} LIMIT ${max}))`;
  const sql = `WITH ${walked},
    shown AS (
      SELECT p.id, p.sku, sort_key, band FROM walked p WHERE 1${onward.replace(key, "sort_key")} ORDER BY sort_key, sku LIMIT ${page})
    SELECT json_array(shown.sort_key, shown.sku, ${SUMMARY_CELL} || '') AS hit,
      band IS (SELECT word FROM last) AND (SELECT count(*) FROM walked WHERE band IS (SELECT word FROM last)) = ${max} AS cut
    FROM shown JOIN products p ON p.id = shown.id JOIN categories c ON c.id = p.category_id
    ORDER BY shown.sort_key, shown.sku`;
  return { sql, values: values.list };
}

/** The words of the price bands that hold products, in a sort's order, from the last key shown on. */
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
