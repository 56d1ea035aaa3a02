import { SAME } from "./synonyms.ts";
import { attributeWord, codes, headWord, joined, plainCode, words } from "./words.ts";

/** One name of a thing that was asked for. */
export interface Name {
  /** Normalised words with single spaces; matches as a phrase. */
  phrase: string;
  /** 1 for what was typed, less for what we added. */
  weight: number;
  /** How far a product that calls itself so is what was asked for. */
  asHead: number;
}

/** One thing that was asked for: a word, or a known term of several words, by all its names; the typed one first. */
export type Slot = readonly [typed: Name, ...others: Name[]];

export interface Query {
  slots: readonly Slot[];
  /** What could be a SKU, a GTIN or a model number, as typed. */
  identifiers: readonly string[];
}

const SLOTS_MAX = 10;
const NAMES_MAX = 10;
const TERM_MAX = 4;
const CODE_MIN = 5;
const IDENTIFIERS_MAX = 8;
const STOP = new Set("a an and the of for with in on to or by my me i is best buy cheap".split(" "));

/**
 * What is wanted goes by many names, what qualifies it rather by the one typed: any notebook will do
 * for "laptop", but a "laptop stand" is better than a "notebook stand".
 */
const ADDED = {
  joined: { weight: 0.8, asHead: 1 },
  wanted: { weight: 0.9, asHead: 0.9 },
  qualifier: { weight: 0.5, asHead: 0 },
  completion: { weight: 0.6, asHead: 0.6 },
} as const;

const normal = (text: string) => words(text).join(" ");
const sameAs = new Map<string, string[]>();
for (const group of SAME.map((names) => names.map(normal))) {
  for (const name of group) {
    sameAs.set(name, [...(sameAs.get(name) ?? []), ...group.filter((other) => other !== name)]);
  }
}

/** Reads a query: what it asks for, the wanted thing last, as English puts it. */
export function readQuery(text: string): Query {
  const all = words(text);
  const kept = all.filter((word) => !STOP.has(word));
  const terms = splitTerms((kept.length > 0 ? kept : all).slice(0, SLOTS_MAX));
  const slots = terms.map((term, index) => {
    const around = [terms.slice(index - 1, index + 1), terms.slice(index, index + 2)];
    const pairs = around.flatMap((pair) => joined(pair.map((part) => part.replaceAll(" ", ""))));
    return namesOf(term, pairs, index === terms.length - 1);
  });
  // A part of a query is a model number where it is long enough to be one: "10" of "windows 10" is not.
  const parts = [...text.split(/\s+/), ...codes(text)].filter((code) => code.length >= CODE_MIN);
  const identifiers = [...new Set([text.trim(), ...parts])].filter((code) => /\d/.test(code));
  return { slots, identifiers: identifiers.slice(0, IDENTIFIERS_MAX) };
}

/** The slot, where its word may be the beginning of one of `completions`. */
export function withCompletions(slot: Slot, completions: readonly string[]): Slot {
  return [...slot, ...completions.map((phrase) => ({ ...ADDED.completion, phrase }))];
}

/** The slot, where its word was meant to be `word`, by all the names of that. */
export function withCorrection(slot: Slot, word: string, wanted: boolean): Slot {
  return [...slot, ...namesOf(word, [], wanted)];
}

function namesOf(term: string, pairs: string[], wanted: boolean): Slot {
  const typed: Name = { phrase: term, weight: 1, asHead: 1 };
  const others = new Map<string, Name>();
  const add = (phrase: string, measure: { weight: number; asHead: number }) => {
    if (phrase !== term && !others.has(phrase)) others.set(phrase, { ...measure, phrase });
  };
  for (const pair of pairs) add(pair, ADDED.joined);
  for (const name of sameAs.get(term) ?? []) add(name, wanted ? ADDED.wanted : ADDED.qualifier);
  return [typed, ...[...others.values()].slice(0, NAMES_MAX - 1)];
}

/** The longest known terms first ("hard drive" is one thing), single words otherwise. */
function splitTerms(list: readonly string[]): string[] {
  const found: string[] = [];
  for (let at = 0; at < list.length;) {
    let size = Math.min(TERM_MAX, list.length - at);
    while (size > 1 && !sameAs.has(list.slice(at, at + size).join(" "))) size--;
    found.push(list.slice(at, at + size).join(" "));
    at += size;
  }
  return found;
}

// FTS5 expressions. Every token stands in quotes and holds letters, digits, dots and our own
// underscores alone: whatever was typed is text, never syntax.

const quoted = (phrase: string) => `"${phrase}"`;
const either = (parts: string[]) => `(${parts.join(" OR ")})`;

/** Attributes are searched for the words that were typed, not for other names. */
export const attributePhrase = ([{ phrase }]: Slot) => phrase.split(" ").map(attributeWord).join(" ");

/** The slot is met by what is on the product's card. */
export const matchShown = (slot: Slot) => either(slot.map(({ phrase }) => quoted(phrase)));
/** The slot is met anywhere. */
export const matchSlot = (slot: Slot) =>
  either([...slot.map(({ phrase }) => quoted(phrase)), quoted(attributePhrase(slot))]);
/** The product is such a thing, and does not merely mention it. */
export const matchHead = (slot: Slot) => either(slot.map(({ phrase }) => quoted(headWord(phrase))));
export const matchAll = (slots: readonly Slot[]) => slots.map(matchSlot).join(" AND ");
export const matchAny = (slots: readonly Slot[]) => slots.map(matchSlot).join(" OR ");

/** What may be meant, as expressions, each list from the strictest reading on. */
export function readings(slots: readonly Slot[]): { all: string[]; some: string[] } {
  const wanted = slots.at(-1);
  if (wanted === undefined) return { all: [], some: [] };
  const all = matchAll(slots);
  const shown = slots.map(matchShown);
  const allButOne = shown.map((_, left) => shown.filter((__, index) => index !== left).join(" AND "));
  // Is such a thing and has every word; shows every word on its card; has every word.
  const every = [`${matchHead(wanted)} AND ${all}`, shown.join(" AND "), all];
  // Shows all words but one; shows what is wanted; has any word.
  const some = [...(slots.length > 2 ? [allButOne.join(" OR ")] : []), matchShown(wanted), matchAny(slots)];
  // Of a single word they are the same.
  return { all: every, some: some.filter((expression) => !every.includes(expression)) };
}

/** The identifiers with the spelling taken out, as products.model_code holds them. */
export const identifierCodes = ({ identifiers }: Query) => identifiers.map(plainCode);
