import { decodeCursor, encodeCursor } from "../catalog/cursor.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";

/** A page of rows in falling order of their keys, beginning below `before`. */
export interface PageRequest {
  limit: number;
  before: number;
}

export interface Page<T> {
  items: T[];
  /** The key of the last row, where there is more. */
  next?: number;
}

/** Makes a page of rows of which one more than `limit` was asked for. */
export function pageOf<Row extends { id: number }, T>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(toItem), ...(rows.length > limit && last && { next: last.id }) };
}

/** The key that a page begins below; `question` is what the cursor was given with. */
export function startOf(question: unknown, cursor: string | undefined): Outcome<number> {
  if (cursor === undefined) return ok(Number.MAX_SAFE_INTEGER);
  const decoded = decodeCursor(question, cursor);
  if (!decoded.ok) return decoded;
  const [key] = decoded.value;
  return typeof key === "number" && Number.isSafeInteger(key)
    ? ok(key)
    : refuse("invalid_arguments", "The cursor is not one that was given out.");
}

/** The `next_cursor` of an answer, where there is more. */
export const cursorAfter = ({ next }: Page<unknown>, question: unknown): { next_cursor?: string } =>
  next === undefined ? {} : { next_cursor: encodeCursor(question, [next, ""]) };
