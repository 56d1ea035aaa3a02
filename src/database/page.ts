import * as z from "zod";

/** One page of a list, and the cursor that the next page begins behind; null at the list's end. */
export interface Page<Row> {
  rows: Row[];
  next: string | null;
}

/** The sort key of a row: a number or text to sort by, and the id that tells equals apart. */
export type Position = readonly [key: number | string, id: number | string];
const positionSchema = z.tuple([z.union([z.number(), z.string()]), z.union([z.number(), z.string()])]);

const encode = (position: Position): string =>
  Buffer.from(JSON.stringify(position), "utf8").toString("base64url");

/** The position that a cursor stands for; undefined for a text that is no cursor. */
export function positionOf(cursor: string): Position | undefined {
  try {
    return positionSchema.safeParse(JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

/** Cuts a page out of rows that were asked for with one more than `size`, which says whether there is a next page. */
export function pageOf<Row>(rows: readonly Row[], size: number, position: (row: Row) => Position): Page<Row> {
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  return { rows: shown, next: rows.length > size && last !== undefined ? encode(position(last)) : null };
}
