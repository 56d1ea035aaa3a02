import { codes, negated, words } from "./words.ts";

/** A word or phrase that satisfies a slot. */
export interface Name {
  /** Words separated by single spaces. */
  phrase: string;
  /** 1 for the typed word, less for a correction. */
  weight: number;
}

/** One word of a query with all names that satisfy it, the typed one first. */
export interface Slot {
  names: readonly Name[];
  /** Products with one of the names; undefined until the catalog was asked. */
  products?: number;
}

export interface Query {
  words: readonly string[];
  /** Words that a product must not have. */
  excluded: readonly string[];
  /** The whole text, if it may be a SKU, GTIN or model number. */
  identifiers: readonly string[];
  /** Single words of the text that may be a SKU or GTIN: those with a digit, and one that is the whole text. */
  codes: readonly string[];
}

const WORDS_MAX = 12;
const CODE_MIN = 5;
const CODES_MAX = 8;
/** A price in the text, and the word that announces it. Neither is part of a product's name. */
const PRICE =
  /(?:\b(?:under|below|over|than|unter|bis|max|de|sous)\s+)?(?:\p{Sc}\s*\d[\d.,]*|(?<![\d.,])\d[\d.,]*\s*(?:\p{Sc}|(?:usd|eur|gbp|euros?|dollars?|bucks)(?!\p{L})))/giu;

/** Splits the text of a search into words, exclusions and codes. Repeated words count once. */
export function readQuery(text: string): Query {
  const all = words(text.replace(PRICE, " "));
  const read = all.length > 0 ? all : words(text);
  const typed = text.trim().split(/\s+/);
  const coded = typed.filter((word) => typed.length === 1 || (/\d/.test(word) && word.length >= CODE_MIN));
  return {
    words: [...new Set([...read, ...codes(text)])].slice(0, WORDS_MAX),
    excluded: read.flatMap((word) => negated(word) ?? []),
    identifiers: /\d/.test(text) ? [text.trim()] : [],
    codes: coded.slice(0, CODES_MAX),
  };
}

/** Slots of a query's words without corrections. */
export const typedSlots = ({ words: typed }: Query): Slot[] =>
  typed.map((phrase) => ({ names: [{ phrase, weight: 1 }] }));
