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
  /** Words of brand and model that the title lacks. */
  brand: string;
  /** The beginning of the description. */
  detail: string;
  /** Codes without dashes, the numbers inside of codes, last letters. */
  joined: string;
  /** Attributes. */
  rest: string;
  /** What filters look for. */
  facet: string;
  /** 0 is looked at first: active before discontinued, then by the words of the name, the fewest first. */
  tier: number;
  /** The version of this reading. */
  reading: number;
}

/** Raise it whenever a product is read differently: rows of an older reading are then read again. */
export const READING = 2;
export const DISCONTINUED_TIER = 32;
/** product_words' columns, as an import and a refresh write them from JSON. */
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
/** product_words' id, from the JSON in `record`: FTS5 walks its matches in this order, so the tier comes first. */
export const WORDS_ID = (productId: string): string => `((record ->> '$.words.tier' << 40) | ${productId})`;
const DETAIL_MAX = 80;

/** Reads a product for search. `price` is in major units. */
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

/** A word that stands twice in a row has a space of its own each time, so that both are counted. */
const padded = (list: readonly string[]): string => ` ${list.join(" ")} `.replace(/ (\S+)(?= \1 )/g, " $1 ");

function attributeText([key, value]: [string, string | number | boolean | null]): string {
  if (value === true) return key;
  return value === false || value === null ? "" : `${key} ${value}`;
}
