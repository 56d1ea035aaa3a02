import { codes, negated, words } from "./words.ts";

/** One way to meet a slot. */
export interface Name {
  /** Words with single spaces between them. */
  phrase: string;
  /** 1 for what was typed, less for what may have been meant. */
  weight: number;
}

/** One word of a query, by all names that meet it; the typed one is the first. */
export interface Slot {
  names: readonly Name[];
  /** Products with one of the names, 0 if the catalog has none; undefined before the catalog was asked. */
  products?: number;
}

export interface Query {
  words: readonly string[];
  /** Words that a product must not have. */
  excluded: readonly string[];
  /** What may be a SKU, a GTIN or a model number as a whole. */
  identifiers: readonly string[];
  /** What may be a SKU or a GTIN among other words. */
  parts: readonly string[];
}

const WORDS_MAX = 12;
const CODE_MIN = 5;
const PARTS_MAX = 8;
/** A price among the words says nothing about names, neither does the word that announces it. */
const PRICE =
  /(?:\b(?:under|below|over|than|unter|bis|max|de|sous)\s+)?(?:\p{Sc}\s*\d[\d.,]*|(?<![\d.,])\d[\d.,]*\s*(?:\p{Sc}|(?:usd|eur|gbp|euros?|dollars?|bucks)(?!\p{L})))/giu;

/** Reads a query. Words that were typed twice count once. */
export function readQuery(text: string): Query {
  const all = words(text.replace(PRICE, " "));
  const read = all.length > 0 ? all : words(text);
  const coded = text.split(/\s+/).filter((part) => /\d/.test(part) && part.length >= CODE_MIN);
  return {
    words: [...new Set([...read, ...codes(text)])].slice(0, WORDS_MAX),
    excluded: read.flatMap((word) => negated(word) ?? []),
    identifiers: /\d/.test(text) ? [text.trim()] : [],
    parts: coded.slice(0, PARTS_MAX),
  };
}

/** A query's words as they were typed. */
export const typedSlots = ({ words: typed }: Query): Slot[] =>
  typed.map((phrase) => ({ names: [{ phrase, weight: 1 }] }));
