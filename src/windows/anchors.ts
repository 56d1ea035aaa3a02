import * as z from "zod";
import { type Anchor, type Head, anchorSchema } from "./chain.ts";

/** What of a chain D1 keeps. */
interface Anchored {
  principal: string;
  startedAt: number;
  checkpoint: Head;
}

/** An anchor of a chain that stands at a record. */
export const anchorOf = (
  { principal, startedAt, checkpoint }: Anchored,
  head: Head,
  anchoredAt: number,
): Anchor => ({
  principal,
  started_at: startedAt,
  seq: head.seq,
  hash: head.hash,
  checkpoint_seq: checkpoint.seq,
  checkpoint_hash: checkpoint.hash,
  anchored_at: anchoredAt,
});

/**
 * Writes down where a chain stands, and when a flow rule spoke since it was last written down, null where none did. An older
 * state of the same chain, or an older chain, changes nothing.
 */
export async function writeAnchor(
  db: D1Database,
  chain: Anchored,
  head: Head,
  spokeAt: number | null,
  now: number,
  isMostlyRefused = false,
): Promise<Anchor> {
  const anchor = anchorOf(chain, head, now);
  await db
    .prepare(
      `INSERT INTO audit_anchors (principal, started_at, seq, hash, checkpoint_seq, checkpoint_hash, anchored_at, spoke_at, mostly_refused)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
       ON CONFLICT (principal) DO UPDATE SET started_at = ?2, seq = ?3, hash = ?4, checkpoint_seq = ?5,
         checkpoint_hash = ?6, anchored_at = ?7, closed_at = NULL, spoke_at = coalesce(?8, spoke_at), mostly_refused = ?9
       WHERE ?2 > started_at OR (?2 = started_at AND ?3 >= seq)`,
    )
    .bind(...Object.values(anchor), spokeAt, isMostlyRefused ? 1 : 0)
    .run();
  return anchor;
}

/** Notes that retention has pruned all of a chain. */
export async function closeAnchor(
  db: D1Database,
  { principal, startedAt }: Anchored,
  now: number,
): Promise<void> {
  await db
    .prepare("UPDATE audit_anchors SET closed_at = ?3 WHERE principal = ?1 AND started_at = ?2")
    .bind(principal, startedAt, now)
    .run();
}

/** Deletes some of those, whosever, whose chain was over before a moment. */
export async function dropClosed(db: D1Database, before: number): Promise<void> {
  await db
    .prepare(
      `DELETE FROM audit_anchors WHERE principal IN
         (SELECT principal FROM audit_anchors WHERE closed_at < ? ORDER BY closed_at LIMIT ${DROPPED_MAX})`,
    )
    .bind(before)
    .run();
}
const DROPPED_MAX = 100;

/** Callers are counted so far. */
export const COUNTED_MAX = 200;

/**
 * Those at whose calls a flow rule spoke since a moment, the latest first and so many at most; and how many there are,
 * COUNTED_MAX for more.
 */
export async function listSpokenTo(
  db: D1Database,
  since: number,
  limit: number,
): Promise<{ principals: string[]; total: number }> {
  const those = "closed_at IS NULL AND spoke_at >= ?1";
  const [listed, counted] = await db.batch([
    db
      .prepare(`SELECT principal FROM audit_anchors WHERE ${those} ORDER BY spoke_at DESC LIMIT ?2`)
      .bind(since, limit),
    db
      .prepare(
        `SELECT count(*) AS total FROM (SELECT 1 FROM audit_anchors WHERE ${those} LIMIT ${COUNTED_MAX})`,
      )
      .bind(since),
  ]);
  return {
    principals: principalRow
      .array()
      .parse(listed?.results)
      .map(({ principal }) => principal),
    ...totalRow.parse(counted?.results[0]),
  };
}
const principalRow = anchorSchema.pick({ principal: true });
const totalRow = z.object({ total: z.int() });

const COLUMNS = Object.keys(anchorSchema.shape).join(", ");

/** Of the chains that are not over, those of principals behind `after` and before `end`, in the order of their names. */
export async function pageOfAnchors(
  db: D1Database,
  after: string,
  end: string,
  limit: number,
): Promise<Anchor[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM audit_anchors WHERE principal > ?1 AND principal < ?2 AND closed_at IS NULL
       ORDER BY principal LIMIT ?3`,
    )
    .bind(after, end, limit)
    .all();
  return anchorSchema.array().parse(results);
}

/** A row of D1, also of a chain that it says is over. */
export interface AnchorRow {
  anchor: Anchor;
  isClosed: boolean;
}
const closableSchema = anchorSchema
  .extend({ closed_at: z.int().nullable() })
  .transform(({ closed_at, ...anchor }): AnchorRow => ({ anchor, isClosed: closed_at !== null }));

/** The rows of some principals. */
export async function anchorsOf(db: D1Database, principals: readonly string[]): Promise<AnchorRow[]> {
  if (principals.length === 0) return [];
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS}, closed_at FROM audit_anchors WHERE principal IN (SELECT value FROM json_each(?))`,
    )
    .bind(JSON.stringify(principals))
    .all();
  return closableSchema.array().parse(results);
}

/** One principal's row. */
export const findAnchorRow = async (db: D1Database, principal: string): Promise<AnchorRow | undefined> =>
  (await anchorsOf(db, [principal]))[0];

/** One principal's; undefined where it has no chain, or D1 says that it is over. */
export async function findAnchor(db: D1Database, principal: string): Promise<Anchor | undefined> {
  const row = await findAnchorRow(db, principal);
  return row === undefined || row.isClosed ? undefined : row.anchor;
}
