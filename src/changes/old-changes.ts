import type { D1Database } from "@cloudflare/workers-types";
import { runBatch } from "../database/run-batch.ts";

/** Changes deleted at a time, with up to 500 lines each, so that no call waits long for the database. */
const SLICE = 20;

/**
 * Deletes changes that were made before a moment, with their keys, in `slices` batches at most. Their lines and the
 * reservations that they made go with them, so that no undo finds half of a change.
 */
export async function dropOldChanges(
  db: D1Database,
  { before, slices }: { before: number; slices: number },
): Promise<void> {
  for (let done = 0; done < slices; done++) {
    const [dropped = []] = await runBatch(db, [
      {
        sql: `DELETE FROM changes WHERE seq IN
          (SELECT seq FROM changes WHERE at < ?1 ORDER BY at, seq LIMIT ${SLICE}) RETURNING seq`,
        values: [before],
      },
    ]);
    if (dropped.length < SLICE) return;
  }
}
