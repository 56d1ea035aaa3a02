import * as z from "zod";

/** One page of a list, and the cursor of the next page; null at the list's end. */
export interface Page<Row> {
  rows: Row[];
  next: string | null;
}

/** The sort key of a row: a number or text to sort by, and the id that orders equal ones. */
export type Position = readonly [key: number | string, id: number | string];
const positionSchema = z.tuple([z.union([z.number(), z.string()]), z.union([z.number(), z.string()])]);

const encode = (position: Position): string =>
  Buffer.from(JSON.stringify(position), "utf8").toString("base64url");

/** Returns the position that a cursor encodes; undefined if the text is not a cursor. */
export function positionOf(cursor: string): Position | undefined {
  try {
    return positionSchema.safeParse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

/**
 * Cuts a page from rows that were requested with one more than `size`. The extra row shows that there is a next page.
 */
export function pageOf<Row>(rows: readonly Row[], size: number, position: (row: Row) => Position): Page<Row> {
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  return { rows: shown, next: rows.length > size && last !== undefined ? encode(position(last)) : null };
}
