import type { D1Database } from "@cloudflare/workers-types";
import { runBatch } from "../database/run-batch.ts";

/** Changes deleted at a time, with up to 500 lines each, so that no call waits long for the database. */
const SLICE = 20;
/** Expired holds deleted at a time. */
export const HOLDS_SLICE = 100;

/** SQL for the oldest changes that were made before the time ?1. */
const oldest = (column: "id" | "seq"): string =>
  `SELECT ${column} FROM changes WHERE at < ?1 ORDER BY at, seq LIMIT ${SLICE}`;

/** SQL that deletes some holds that have expired at a time. */
export const dropExpiredHolds = (now: number) => ({
  sql: `DELETE FROM holds WHERE (product_id, warehouse, reservation_id) IN (
    SELECT product_id, warehouse, reservation_id FROM holds WHERE expires_at <= ?1 LIMIT ${HOLDS_SLICE})`,
  values: [now],
});

/**
 * Deletes changes that were made before a moment, with their keys, their lines and the reservations that they made, in
 * `slices` batches at most. A change goes as a whole, so that no undo finds half of it. Also deletes some expired holds.
 */
export async function dropOldChanges(
  db: D1Database,
  { before, now, slices }: { before: number; now: number; slices: number },
): Promise<void> {
  for (let done = 0; done < slices; done++) {
    const [, dropped = []] = await runBatch(db, [
      { sql: `DELETE FROM reservations WHERE change_id IN (${oldest("id")})`, values: [before] },
      { sql: `DELETE FROM changes WHERE seq IN (${oldest("seq")}) RETURNING seq`, values: [before] },
      dropExpiredHolds(now),
    ]);
    if (dropped.length < SLICE) return;
  }
}
