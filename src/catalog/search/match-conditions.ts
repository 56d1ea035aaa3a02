import { isBuyable } from "../availability.ts";
import { currentPrice } from "../price.ts";
import { spellings } from "../../text/spellings.ts";
import type { Statement } from "../../database/statement.ts";
import { type Filters, matchEverything, matchFacets } from "./facets.ts";
import type { Query, Slot } from "./query.ts";
import type { Known } from "./vocabulary.ts";
import { attributeWord } from "./words.ts";

// Conditions and FTS5 expressions that all search statements share. Values are bound, lists as one JSON value. D1 allows
// a statement 100 bound values; the SQL itself is built only from constants.

/** Partial matches combine so many words, the rarest. */
export const CHOSEN_FROM_MAX = 6;
/** Words that a combination may leave out. Single words come last, so that a long query finds something. */
const LEFT_OUT_MAX = 2;
/** SQL for the product of a row of product_words, from its id (WORDS_ID in product-words.ts). */
export const PRODUCT_ID = "(w.rowid & 1099511627775)";

/** SQL for the time of the search in milliseconds since the epoch: the first value of a statement. */
export const NOW = "?1";

/** Collects the values of a statement, of which NOW is the first, and returns a placeholder for each. */
export class Values {
  readonly list: Statement["values"];
  constructor(now: number) {
    this.list = [now];
  }
  bind(value: string | number): string {
    return `?${this.list.push(value)}`;
  }
}

/** The filters that the word index can't apply, or not exactly, as SQL conditions on `p`. */
export function rowFilters(filters: Filters, values: Values): string {
  const { category, brand, minPrice, maxPrice, inStock } = filters;
  const conditions: string[] = [];
  if (category !== undefined) {
    const names = [category].flat().map((each) => {
      const name = values.bind(each);
      return `name = ${name} OR (name > ${name} || ' > ' AND name < ${name} || ' > ' || char(1114111))`;
    });
    conditions.push(`p.category_id IN (SELECT id FROM categories WHERE ${names.join(" OR ")})`);
  }
  if (brand !== undefined) {
    const bound = spellings(brand).map((each) => values.bind(each));
    conditions.push(`p.brand IN (${bound.join(", ")})`);
  }
  // In floating point, 79.99 * 100 is slightly less than 7999; a hundredth of a minor unit makes up for it.
  if (minPrice !== undefined)
    conditions.push(`${currentPrice("p", NOW)} >= ${values.bind(minPrice)} * p.minor_per_major - 0.01`);
  if (maxPrice !== undefined)
    conditions.push(`${currentPrice("p", NOW)} <= ${values.bind(maxPrice)} * p.minor_per_major + 0.01`);
  if (inStock !== undefined) conditions.push(`${isBuyable("p")} = ${values.bind(Number(inStock))}`);
  return conditions.map((condition) => ` AND ${condition}`).join("");
}

// FTS5 expressions. Every token is quoted and holds only letters, digits, dots and our own underscores, so typed text is never
// read as syntax.

const quoted = (phrase: string) => `"${phrase}"`;
const anywhere = ({ names }: Slot) => {
  const [typed] = names;
  const rest = typed === undefined ? [] : [quoted(attributeWord(typed.phrase))];
  return `(${[...names.map(({ phrase }) => quoted(phrase)), ...rest].join(" OR ")})`;
};
const inTitle = ({ names }: Slot) =>
  `({title brand} : (${names.map(({ phrase }) => quoted(phrase)).join(" OR ")}))`;

/** The filters and excluded words as FTS5 conditions that follow an expression in brackets. */
export function narrowing(query: Query, filters: Filters, settled: boolean): string {
  const without = query.excluded.map(
    (word) => ` NOT ({title brand rest} : (${quoted(word)} OR ${quoted(attributeWord(word))}))`,
  );
  return `${matchFacets(filters, settled)}${without.join("")}`;
}

const isMeasure = ({ names }: Slot) => /^\d+(?:\.\d+)?\p{L}{0,4}$/u.test(names[0]?.phrase ?? "");

/** The slots without words that no product has; none if only numbers and measures are left, which fit anything. */
export function knownSlots({ slots }: Known): Slot[] {
  const known = slots.filter(({ products }) => products !== 0);
  return known.every(isMeasure) && !slots.every(isMeasure) ? [] : known;
}

/** Expressions for all words: first in titles, then anywhere. */
export const matchAll = (slots: readonly Slot[]) =>
  slots.length === 0 ? [] : [slots.map(inTitle).join(" AND "), slots.map(anywhere).join(" AND ")];

/** Expressions for combinations of the rarest words. A key has a bit for each slot of its combination. */
export function matchSome(slots: readonly Slot[], narrow: string): Record<number, string> {
  const chosenFrom = slots
    .map((slot, index) => ({ slot, bit: 2 ** index }))
    .toSorted((a, b) => (a.slot.products ?? 0) - (b.slot.products ?? 0))
    .slice(0, CHOSEN_FROM_MAX);
  const count = chosenFrom.length;
  const choices = Array.from({ length: Math.max(0, 2 ** count - 2) }, (_, index) =>
    chosenFrom.filter((__, at) => ((index + 1) >> at) & 1),
  ).filter(({ length }) => length === 1 || length >= count - LEFT_OUT_MAX);
  return Object.fromEntries(
    choices.map((chosen) => [
      chosen.reduce((sum, { bit }) => sum + bit, 0),
      `(${chosen.map(({ slot }) => anywhere(slot)).join(" AND ")})${narrow}`,
    ]),
  );
}

/** An SQL expression for the products that have every word or, if there are none, any word. */
export function matchEveryOrAny(query: Query, known: Known, filters: Filters, values: Values): string {
  const slots = knownSlots(known);
  const narrow = narrowing(query, filters, known.settled);
  // A query of nothing but exclusions is over all products; one of unknown words is over none.
  const isOpen = query.words.length === query.excluded.length;
  const any = slots.map(anywhere).join(" OR ") || (isOpen ? matchEverything(known.settled) : '"f_none"');
  const every = values.bind(`(${slots.map(anywhere).join(" AND ") || any})${narrow}`);
  return `iif(EXISTS (SELECT 1 FROM product_search WHERE product_search MATCH ${every}), ${every}, ${values.bind(`(${any})${narrow}`)})`;
}
