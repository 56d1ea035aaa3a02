import { decodeCursor, encodeCursor } from "../catalog/cursor.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";

/** A page of rows by descending key, starting below `before`. */
export interface PageRequest {
  limit: number;
  before: number;
}

export interface Page<T> {
  items: T[];
  /** The key of the last row, if there are more. */
  next?: number;
}

/** Makes a page of rows that were requested with one more than `limit`. */
export function pageOf<Row extends { id: number }, T>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(toItem), ...(rows.length > limit && last && { next: last.id }) };
}

/** Returns the key that a page starts below; `question` is the query that the cursor was made for. */
export function startOf(question: unknown, cursor: string | undefined): Outcome<number> {
  if (cursor === undefined) return ok(Number.MAX_SAFE_INTEGER);
  const decoded = decodeCursor(question, cursor);
  if (!decoded.ok) return decoded;
  const [key] = decoded.value;
  return typeof key === "number" && Number.isSafeInteger(key)
    ? ok(key)
    : refuse("invalid_arguments", "This server did not issue that cursor.");
}

/** Returns the `next_cursor` of an answer, if there are more rows. */
export const cursorAfter = ({ next }: Page<unknown>, question: unknown): { next_cursor?: string } =>
  next === undefined ? {} : { next_cursor: encodeCursor(question, [next, ""]) };
