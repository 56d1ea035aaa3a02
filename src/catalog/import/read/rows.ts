import { clip, plainLine } from "../../../text/plain-text.ts";

/** A row as the file holds it: a cell for each column. A column that appears several times has a list. */
export type Cells = Readonly<Record<string, unknown>>;

/** Values that a row may have in one column. Feeds repeat a column for a product's images, some ten times. */
export const VALUES_MAX = 1_000;
/** The problem of a row with more. */
export const tooManyOf = (column: string): string =>
  `has more than ${VALUES_MAX} values of ${clip(plainLine(column), 60)}`;

/** Characters of all different names of columns together. A program that makes up names would fill the memory. */
const NAMES_MAX = 256 * 1024;

/** Throws if the different names of a file's columns have too many characters together. */
export function checkNames(size: number, count: number): void {
  if (size > NAMES_MAX)
    throw new Error(`The file has ${count} different names of columns or more, which is too many.`);
}

/** Passes rows on. Throws if a file has too many different names of columns. */
export async function* withFewNames(rows: AsyncIterable<RawRow>): AsyncGenerator<RawRow> {
  const names = new Set<string>();
  let size = 0;
  for await (const row of rows) {
    for (const name in "cells" in row ? row.cells : {}) {
      if (names.has(name)) continue;
      names.add(name);
      size += name.length;
    }
    checkNames(size, names.size);
    yield row;
  }
}

/** `line` counts from 1; in a JSON document it is the number of the product. */
export interface Problem {
  line: number;
  problem: string;
}

export type RawRow = { line: number; cells: Cells } | Problem;

/** Reasons for which a preset leaves out a row that is not for sale, in the words of the report. */
export type LeftOut = "draft or archived" | "hidden" | "a set of other products" | "without variants";

/**
 * A product in this catalog's field names, with texts and numbers as the file wrote them. `sale`, `group`, `rating`,
 * `options`, `attributes` and `stock` are objects.
 */
export interface Draft {
  line: number;
  fields: Record<string, unknown>;
  /** The cells that a text of `--set` or a column of `--map` may name. */
  cells: Cells;
  /** Makes a SKU if the file has none: the product's handle, then its options' values. Absent if a SKU is required. */
  identity?: readonly string[];
  /** Whether the SKU is the key of the vendor's rows, so that a second row with it is a mistake. Otherwise both get made ones. */
  isKeyed?: true;
}

export type DraftRow = Draft | Problem | { line: number; leftOut: LeftOut };

/** Returns the value of a cell as trimmed text; "" if it is empty or no text. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return textOf(value.find((each) => textOf(each) !== ""));
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" ? value.trim() : "";
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Returns the fields that hold something: most often all of them. */
export function present(fields: Cells): Cells {
  for (const name in fields)
    if (!isPresent(fields[name]))
      return Object.fromEntries(Object.entries(fields).filter(([, value]) => isPresent(value)));
  return fields;
}

const isPresent = (value: unknown): boolean => value !== "" && value !== null && value !== undefined;
