import { facetWords } from "./facets.ts";
import { attributeWord, codes, lastLetters, numbersIn, words } from "./words.ts";

interface Searchable {
  sku: string;
  name: string;
  model: string;
  brand: string;
  description: string;
  category: string;
  status: "active" | "discontinued";
  attributes: Readonly<Record<string, string | number | boolean | null>>;
  options: Readonly<Record<string, string>>;
}

/** The columns of product_words. Texts begin and end with a space. */
export interface ProductWords {
  /** The category. */
  head: string;
  title: string;
  /** Words of brand, model and the variant's options that are not in the title. */
  brand: string;
  /** The beginning of the description. */
  detail: string;
  /** Codes without separators, numbers inside codes, and last letters of unspaced runs. */
  joined: string;
  /** Attributes. */
  rest: string;
  /** The words of filters (facets.ts). */
  facet: string;
  /** Order in which a search visits products, 0 first: active before discontinued, then short names before long ones. */
  tier: number;
  /** The version of this reading. */
  reading: number;
}

/** Version of productWords(). Raise it when the result changes; rows of an older version are then reindexed. */
export const READING = 2;
export const DISCONTINUED_TIER = 32;
/** The columns of product_words that an import and a reindexing write from JSON. */
export const WORD_COLUMNS = [
  "head",
  "title",
  "brand",
  "detail",
  "joined",
  "rest",
  "facet",
  "reading",
] as const;
/** Variants of a group that are told apart by their place; all later ones come last. */
const PLACES_MAX = 255;
/** Names of so few words come first in the whole catalog; with them a search may have named a product in full. */
const SHORT = 3;
/**
 * SQL for the id of product_words, from the JSON in `record`, of the product `row`. FTS5 visits matches by id: one block of
 * 65,536 products after the other, so that a search for common words stops within the first blocks of a large catalog. In a
 * block come the first variants of all groups, then the second ones, so that a search which stops early has seen many
 * products. Within a place the tier decides.
 */
export const WORDS_ID = (row: string): string =>
  `(iif(record ->> '$.words.tier' <= ${SHORT}, 0, min(${row}.id >> 16, 511)) << 54
    | ((SELECT count(*) FROM (SELECT 1 FROM products v WHERE v.group_id = ${row}.group_id AND v.id < ${row}.id LIMIT ${PLACES_MAX})) << 46)
    | (record ->> '$.words.tier' << 40) | ${row}.id)`;
/** SQL for whether the tier in an id of product_words is that of a discontinued product. */
export const IS_DISCONTINUED = (id: string): string => `((${id} >> 40) & ${DISCONTINUED_TIER})`;
const DETAIL_MAX = 80;

/** Extracts the words of a product for the search index. `prices` are in major units, as in facets.ts. */
export function productWords(product: Searchable, prices: readonly number[]): ProductWords {
  const title = words(product.name);
  const options = Object.values(product.options);
  const brand = words([product.brand, product.model, ...options].join(" . ")).filter(
    (word) => !title.includes(word),
  );
  const detail = words(product.description).slice(0, DETAIL_MAX);
  const traits = [...Object.entries(product.attributes), ...Object.entries(product.options)];
  const attributes = words(traits.map(attributeText).join(" . "));
  const sku = words(product.sku).filter((part) => /\d/.test(part));
  const inParts = [product.sku, product.name, product.model, product.description].flatMap(codes);
  const joined = new Set([
    ...sku,
    ...inParts,
    ...numbersIn([...title, ...brand]),
    ...lastLetters(product.name),
  ]);
  return {
    head: padded(words(product.category)),
    title: padded(title),
    brand: padded(brand),
    detail: padded(detail),
    joined: padded([...joined]),
    rest: padded([...new Set(attributes)].map(attributeWord)),
    facet: padded(facetWords({ ...product, prices })),
    tier:
      Math.min(title.length, DISCONTINUED_TIER - 1) + (product.status === "active" ? 0 : DISCONTINUED_TIER),
    reading: READING,
  };
}

/** Joins words with spaces. A repeated word gets spaces of its own, so that both occurrences are counted. */
function padded(list: readonly string[]): string {
  if (list.length === 0) return "  ";
  let text = " ";
  for (const [index, word] of list.entries()) text += word === list[index + 1] ? `${word}  ` : `${word} `;
  return text;
}

function attributeText([key, value]: [string, string | number | boolean | null]): string {
  if (value === true) return key;
  return value === false || value === null ? "" : `${key} ${value}`;
}
