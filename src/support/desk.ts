import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import * as z from "zod";
import { customerIdSchema, toKey } from "./ids.ts";
import type { Viewer } from "./viewer.ts";

/** A database, and the viewer as the first two values of every statement over personal rows. */
export interface Desk {
  db: D1Database;
  viewerValues: readonly [all: number, own: number | null];
  /** The user to whom tickets may be assigned. */
  user: string | null;
}

export const deskOf = (db: D1Database, viewer: Viewer): Desk => ({
  db,
  viewerValues: viewer.sees === "all" ? [1, null] : [0, toKey(customerIdSchema, viewer.customerId)],
  user: viewer.sees === "all" ? (viewer.user ?? null) : null,
});

/**
 * Returns the SQL condition that the viewer may see a row; `column` holds the row's customer, `all` and `own` are the places
 * of the viewer's values.
 */
export const visibleTo = (column: string, all = "?1", own = "?2"): string =>
  `(${all} = 1 OR ${column} = ${own})`;

/** Returns SQL for whether a row's customer is a canary, as 0 or 1. */
export const isCanary = (column: string): string =>
  `EXISTS (SELECT 1 FROM canary_customers k WHERE k.customer_id = ${column})`;

/** The column of `isCanary`, for a row's schema. */
export const canaryColumn = { canary: z.int().transform((flag) => flag === 1) };

/**
 * Selects one row if the customer exists for the viewer. Send it in one batch with the statements about the customer.
 */
export const selectCustomer = ({ db, viewerValues }: Desk, customerId: string): D1PreparedStatement =>
  db
    .prepare(`SELECT ${isCanary("c.id")} AS canary FROM customers c WHERE c.id = ?3 AND ${visibleTo("c.id")}`)
    .bind(...viewerValues, toKey(customerIdSchema, customerId));

export const customerRows = z.array(z.object(canaryColumn)).transform(([row]) => row);
