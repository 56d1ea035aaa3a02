import * as z from "zod";
import { jsonText } from "../database/json-text.ts";
import type { Statement } from "../database/statement.ts";
import { clip, plainLine } from "../text/plain-text.ts";
import { currentMajorPrice } from "./price.ts";
import type { Filters } from "./search/facets.ts";
import type { Query } from "./search/query.ts";
import { NOW, PRODUCT_ID, Values, matchEveryOrAny, rowFilters } from "./search/match-conditions.ts";
import type { Known } from "./search/vocabulary.ts";

// Counts how many products each filter would leave.

/** SQL for the number of products among rows of `walked`; the variants of a group are one. */
const PRODUCTS = "count(DISTINCT product)";

/** SQL for rows of word_counts that are brands. */
export const IS_BRAND = "word > 'b_' AND word < 'b`' AND products > 0";
/** SQL for the original spelling of the brand that `word` stands for, which only its products have. */
export const BRAND_NAME = `(SELECT p.brand FROM product_search w CROSS JOIN products p ON p.id = ${PRODUCT_ID}
  WHERE product_search MATCH '"' || word || '"' LIMIT 1)`;

/** Limits on the products that are counted and on those whose attributes are read. */
const COUNTED_MAX = 1_000;
const OPTIONS_READ_MAX = 200;
const NAMES_MAX = 20;
/** Among so few products, a value of a single one is an option too. */
const FEW_PRODUCTS = 10;
const OPTIONS_MAX = 10;
const VALUES_MAX = 8;
const TEXT_MAX = 100;

const text = z.string().transform((value) => clip(plainLine(value), TEXT_MAX));
const named = z.strictObject({ name: text, products: z.int() });
const option = z.strictObject({ name: text, value: text, products: z.int() });

/** Ranges are [from, to) in major units. */
const price = z.strictObject({ currency: z.string(), from: z.number(), to: z.number(), products: z.int() });

const row = z.tuple([
  z.object({
    counted: z.int(),
    complete: z.int(),
    categories: jsonText.pipe(z.array(named)),
    brands: jsonText.pipe(z.array(named)),
    prices: jsonText.pipe(z.array(price)),
    options: jsonText.pipe(z.array(option)),
  }),
]);

export interface FilterCounts {
  /** Products that were counted: all matches if `complete`. */
  counted: number;
  complete: boolean;
  categories: { name: string; products: number }[];
  brands: { name: string; products: number }[];
  prices: z.output<typeof price>[];
  options: { name: string; values: { value: string; products: number }[] }[];
}

/**
 * Counts the filters over the first 1,000 products that a search finds. Without words and filters, categories and brands are
 * counted over the whole catalog.
 */
export function countFilters(query: Query, known: Known, request: Filters & { now: number }): Statement {
  const values = new Values(request.now);
  const { category, brand, minPrice, maxPrice, inStock } = request;
  const filters = { category, brand, minPrice, maxPrice, inStock };
  const isWhole = query.words.length === 0 && Object.values(filters).every((filter) => filter === undefined);
  const list = (fields: string, rows: string) =>
    `(SELECT json_group_array(json_object(${fields})) FROM (${rows}))`;
  const group = (name: string, from: string) =>
    `SELECT ${name} AS name, ${PRODUCTS} AS products FROM ${from} GROUP BY 1 HAVING name <> '' ORDER BY 2 DESC, 1 LIMIT ${NAMES_MAX}`;
  const categories = isWhole
    ? `SELECT name, active_products AS products FROM categories WHERE active_products > 0 ORDER BY 2 DESC, 1 LIMIT ${NAMES_MAX}`
    : group("c.name", "walked JOIN categories c ON c.id = category_id");
  const brands = isWhole
    ? `SELECT ${BRAND_NAME} AS name, products
        FROM (SELECT word, products FROM word_counts WHERE ${IS_BRAND} ORDER BY products DESC, word LIMIT ${NAMES_MAX})`
    : group("brand", "walked");
  const sql = `WITH walked AS MATERIALIZED (
      SELECT p.category_id, p.brand, p.currency, ${currentMajorPrice("p", NOW)} AS price,
        iif(p.options = '{}', p.attributes, json_patch(p.attributes, p.options)) AS attributes,
        coalesce(p.group_id, -p.id) AS product
      FROM product_search w CROSS JOIN products p ON p.id = ${PRODUCT_ID}
      WHERE product_search MATCH ${matchEveryOrAny(query, known, filters, values)}${rowFilters(filters, values)}
      LIMIT ${COUNTED_MAX})
    SELECT (SELECT ${PRODUCTS} FROM walked) AS counted, (SELECT count(*) FROM walked) < ${COUNTED_MAX} AS complete,
      ${list("'name', name, 'products', products", categories)} AS categories,
      ${list("'name', name, 'products', products", brands)} AS brands,
      ${list(
        "'currency', currency, 'from', iif(octave = 0, 0, 1 << octave), 'to', 1 << (octave + 1), 'products', products",
        `SELECT currency, CAST(log2(max(price, 1)) AS INTEGER) AS octave, ${PRODUCTS} AS products
          FROM walked GROUP BY 1, 2 ORDER BY 1, 2`,
      )} AS prices,
      ${list(
        "'name', name, 'value', value, 'products', products",
        `SELECT a.key AS name, CAST(a.value AS TEXT) AS value, ${PRODUCTS} AS products
          FROM (SELECT attributes, product FROM walked LIMIT ${OPTIONS_READ_MAX}) CROSS JOIN json_each(attributes) a
          WHERE a.type = 'text' GROUP BY 1, 2 HAVING products > ((SELECT ${PRODUCTS} FROM walked) > ${FEW_PRODUCTS}) ORDER BY 3 DESC, 1, 2 LIMIT ${OPTIONS_MAX * VALUES_MAX * 4}`,
      )} AS options`;
  return { sql, values: values.list };
}

export function readCounts(rows: unknown): FilterCounts {
  const [{ complete, options, brands, ...rest }] = row.parse(rows);
  const byName = new Map<string, { value: string; products: number }[]>();
  for (const { name, value, products } of options) {
    byName.set(name, [...(byName.get(name) ?? []), { value, products }]);
  }
  // Filtering by an attribute with only one value would narrow nothing.
  const useful = [...byName].filter(([, found]) => found.length > 1).slice(0, OPTIONS_MAX);
  return {
    ...rest,
    brands: brands.filter(({ name }) => name !== ""),
    complete: complete === 1,
    options: useful.map(([name, found]) => ({ name, values: found.slice(0, VALUES_MAX) })),
  };
}
