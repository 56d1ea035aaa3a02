import type * as z from "zod";
import { logSurprise } from "./log.ts";

/**
 * Returns the rows of a table that this release can read. A later release may have stored the others: they are kept for
 * its return, and the log names the table.
 */
export function readableRows<Row>(table: string, rows: Iterable<unknown>, schema: z.ZodType<Row>): Row[] {
  return [...rows].flatMap((row) => {
    const { success, data, error } = schema.safeParse(row);
    if (success) return [data];
    logUnreadable(table, error);
    return [];
  });
}

export const logUnreadable = (table: string, error: unknown): void =>
  logSurprise(error, { what: `a stored row of ${table}` });
