import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";

/** The numbers of products that an import would change. */
export interface Comparison {
  added: number;
  changed: number;
  unchanged: number;
  /** Active products that the file lacks. */
  missing: number;
  /** Prices that change by more than five times. */
  price_jumps: number;
}

const ids = jsonText.pipe(z.array(z.int()));
const comparedRow = z.object({
  added: z.int(),
  changed: z.int(),
  unchanged: z.int(),
  price_jumps: z.int(),
  rows: ids,
});
const missingRow = z.object({ missing: ids });
const rangeRow = z.object({ first: z.int().nullable(), last: z.int().nullable() });

export const noComparison = (): Comparison => ({
  added: 0,
  changed: 0,
  unchanged: 0,
  missing: 0,
  price_jumps: 0,
});

/** Adds an answer of compareRows(); returns the rowids of the rows that applying writes. */
export function addRows(total: Comparison, answer: unknown): number[] {
  const { rows, added, changed, unchanged, price_jumps } = comparedRow.parse(answer);
  total.added += added;
  total.changed += changed;
  total.unchanged += unchanged;
  total.price_jumps += price_jumps;
  return rows;
}

/** Adds an answer of compareMissing(); returns the ids of the products. */
export function addMissing(total: Comparison, answer: unknown): number[] {
  const { missing } = missingRow.parse(answer);
  total.missing += missing.length;
  return missing;
}

/** Rowids from `first` to `last`. */
export interface Range {
  first: number;
  last: number;
}

/** Divides an answer of rangeOfRows() or rangeOfProducts() into parts of `size` rowids. */
export function partsOfRange(answer: unknown, size: number): Range[] {
  const { first, last } = rangeRow.parse(answer);
  if (first === null || last === null) return [];
  return Array.from({ length: Math.ceil((last - first + 1) / size) }, (_, index) => ({
    first: first + index * size,
    last: Math.min(last, first + (index + 1) * size - 1),
  }));
}
