import type { Statement } from "../../database/statement.ts";

// One import at a time applies its rows. A run that was killed keeps its turn until it has not been seen for a while.

/** Milliseconds after which a run that gives no sign has lost its turn. One part of an import takes less than a second. */
const LOST_AFTER_MS = 10_000;
const NOW = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/** Takes the turn if nobody has it. The last statement returns the `run` that has it now. */
export const takeTurn = (run: string): Statement[] => [
  {
    sql: `INSERT INTO import_turn AS t (id, run, seen_at) VALUES (1, ?1, ${NOW})
      ON CONFLICT (id) DO UPDATE SET run = excluded.run, seen_at = excluded.seen_at
      WHERE t.run = excluded.run OR t.seen_at < excluded.seen_at - ${LOST_AFTER_MS}`,
    values: [run],
  },
  { sql: "SELECT run FROM import_turn", values: [] },
];

/** Gives a sign. Fails its transaction if another run has the turn, by a row without an import. */
export const keepTurn = (run: string): Statement[] => [
  { sql: `UPDATE import_turn SET seen_at = ${NOW} WHERE run = ?1`, values: [run] },
  {
    sql: `INSERT INTO import_rows (import_id, sku, record)
      SELECT '', '', '' WHERE NOT EXISTS (SELECT 1 FROM import_turn WHERE run = ?1)`,
    values: [run],
  },
];

export const endTurn = (run: string): Statement => ({
  sql: "DELETE FROM import_turn WHERE run = ?1",
  values: [run],
});
