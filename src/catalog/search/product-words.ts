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
}

/** The columns of product_words. Texts begin and end with a space. */
export interface ProductWords {
  /** The category. */
  head: string;
  title: string;
  /** Words of brand and model that are not in the title. */
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
/** SQL for the id of product_words, from the JSON in `record`. FTS5 visits matches by id, so the tier comes first. */
export const WORDS_ID = (productId: string): string => `((record ->> '$.words.tier' << 40) | ${productId})`;
const DETAIL_MAX = 80;

/** Extracts the words of a product for the search index. `price` is in major units. */
export function productWords(product: Searchable, price: number): ProductWords {
  const title = words(product.name);
  const brand = words(`${product.brand} . ${product.model}`).filter((word) => !title.includes(word));
  const detail = words(product.description).slice(0, DETAIL_MAX);
  const attributes = words(Object.entries(product.attributes).map(attributeText).join(" . "));
  const sku = words(product.sku).filter((part) => /\d/.test(part));
  const inParts = codes(`${product.sku} ${product.name} ${product.model} ${product.description}`);
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
    facet: padded(facetWords({ ...product, price })),
    tier:
      Math.min(title.length, DISCONTINUED_TIER - 1) + (product.status === "active" ? 0 : DISCONTINUED_TIER),
    reading: READING,
  };
}

/** Joins words with spaces. A repeated word gets spaces of its own, so that both occurrences are counted. */
const padded = (list: readonly string[]): string => ` ${list.join(" ")} `.replace(/ (\S+)(?= \1 )/g, " $1 ");

function attributeText([key, value]: [string, string | number | boolean | null]): string {
  if (value === true) return key;
  return value === false || value === null ? "" : `${key} ${value}`;
}
