import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import * as z from "zod";
import { customerIdSchema, toKey } from "./ids.ts";
import type { Viewer } from "./viewer.ts";

/** A database, and the viewer as the first two values of every statement over personal rows. */
export interface Desk {
  db: D1Database;
  sight: readonly [all: number, own: number | null];
}

export const deskOf = (db: D1Database, viewer: Viewer): Desk => ({
  db,
  sight: viewer.sees === "all" ? [1, null] : [0, toKey(customerIdSchema, viewer.customerId)],
});

/** The condition that a row is the viewer's to see; `column` holds its customer. */
export const seenBy = (column: string): string => `(?1 = 1 OR ${column} = ?2)`;

/** Whether a row's customer is a canary, as 0 or 1. */
export const isCanary = (column: string): string =>
  `EXISTS (SELECT 1 FROM canary_customers k WHERE k.customer_id = ${column})`;

/** The column of `isCanary`, for a row's schema. */
export const marked = { canary: z.int().transform((flag) => flag === 1) };

/** A row where the customer is there for the viewer, to be asked together with what belongs to the customer. */
export const presence = ({ db, sight }: Desk, customerId: string): D1PreparedStatement =>
  db
    .prepare(`SELECT ${isCanary("c.id")} AS canary FROM customers c WHERE c.id = ?3 AND ${seenBy("c.id")}`)
    .bind(...sight, toKey(customerIdSchema, customerId));

export const presenceRows = z.array(z.object(marked)).transform(([row]) => row);
