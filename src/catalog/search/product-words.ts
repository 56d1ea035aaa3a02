import { facetWords } from "./facets.ts";
import { headWords, typePhrases } from "./head-nouns.ts";
import { attributeWord, codes, joined, words } from "./words.ts";

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

/** The columns of product_words, and the words that a misspelling may have meant. */
export interface ProductWords {
  /** What the thing is. */
  head: string;
  title: string;
  brand: string;
  /** The model, and the beginning of the description. */
  detail: string;
  /** Codes without dashes, neighbouring words as one, the types as phrases. */
  joined: string;
  /** Attributes. */
  rest: string;
  facet: string;
  /** 0 is shown first: active before discontinued, then short names, each word of which says more. */
  tier: number;
  vocabulary: string[];
}

const DETAIL_MAX = 80;
export const DISCONTINUED_TIER = 4;
const LONG_NAMES = [6, 9, 14];

/** What search reads of a product. `price` is in major units. */
export function productWords(product: Searchable, price: number): ProductWords {
  const phrases = typePhrases(product);
  const title = words(product.name);
  const brand = words(product.brand);
  const attributes = words(Object.entries(product.attributes).map(attributeText).join(" . "));
  const skuParts = words(product.sku).filter((part) => /\d/.test(part));
  const codeText = `${product.sku} ${product.name} ${product.model} ${product.description}`;
  const length = LONG_NAMES.filter((bound) => title.length > bound).length;
  return {
    head: padded(headWords(phrases)),
    title: padded(title),
    brand: padded(brand),
    detail: padded(words(`${product.model} ${product.description}`).slice(0, DETAIL_MAX)),
    joined: padded([...skuParts, ...codes(codeText), ...joined(title), ...phrases]),
    rest: padded([...new Set(attributes)].map(attributeWord)),
    facet: padded(facetWords({ ...product, price })),
    tier: length + (product.status === "active" ? 0 : DISCONTINUED_TIER),
    vocabulary: [...new Set([...title, ...brand])].filter((word) => /^\p{L}{4,30}$/u.test(word)),
  };
}

const padded = (list: readonly string[]): string => ` ${list.join(" ")} `;

function attributeText([key, value]: [string, string | number | boolean | null]): string {
  if (value === true) return key;
  return value === false || value === null ? "" : `${key} ${value}`;
}
