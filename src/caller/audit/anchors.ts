import { createHmac } from "node:crypto";
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

/** What no writer of D1 alone can make: a keyed hash of an anchor; null where the server has no key. */
export const sealOf = (anchor: Anchor, key: string | undefined): string | null =>
  key === undefined
    ? null
    : createHmac("sha256", key)
        .update(`anchor ${JSON.stringify(anchorSchema.parse(anchor))}`)
        .digest("base64url");

/** What an anchor tells beside where the chain stands. */
interface Told {
  /** When a flow rule spoke since the anchor before; null where none did. */
  spokeAt: number | null;
  isMostlyRefused: boolean;
}

/**
 * Writes down where a chain stands, over an older row: an older state of the same chain, or an older chain, changes nothing.
 * Over "any" row if that one is known to be made up. Gives the row that stood there before.
 */
export async function writeAnchor(
  db: D1Database,
  anchor: Anchor,
  { spokeAt, isMostlyRefused }: Told,
  key: string | undefined,
  over: "older" | "any" = "older",
): Promise<AnchorRow | undefined> {
  const [before] = await db.batch([
    selectRows(db, [anchor.principal]),
    db
      .prepare(
        `INSERT INTO audit_anchors (principal, started_at, seq, hash, checkpoint_seq, checkpoint_hash, anchored_at, spoke_at,
           mostly_refused, seal)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (principal) DO UPDATE SET started_at = ?2, seq = ?3, hash = ?4, checkpoint_seq = ?5,
           checkpoint_hash = ?6, anchored_at = ?7, closed_at = NULL, spoke_at = coalesce(?8, spoke_at), mostly_refused = ?9,
           seal = ?10
         WHERE ?2 > started_at OR (?2 = started_at AND ?3 >= seq) OR ?11 = 'any'`,
      )
      .bind(...Object.values(anchor), spokeAt, isMostlyRefused ? 1 : 0, sealOf(anchor, key), over),
  ]);
  return rowsIn(before?.results ?? [], key)[0];
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

/** A row of D1, also of a chain that it says is over. */
export interface AnchorRow {
  anchor: Anchor;
  isClosed: boolean;
  /** Whether it is as a caller's object wrote it, with the key of now; false in rows of earlier releases. */
  isSealed: boolean;
}
const sealedSchema = anchorSchema.extend({ closed_at: z.int().nullable(), seal: z.string().nullable() });

const rowsIn = (rows: readonly unknown[], key: string | undefined): AnchorRow[] =>
  sealedSchema
    .array()
    .parse(rows)
    .map(({ closed_at, seal, ...anchor }) => ({
      anchor,
      isClosed: closed_at !== null,
      isSealed: seal === sealOf(anchor, key),
    }));

const selectRows = (db: D1Database, principals: readonly string[]): D1PreparedStatement =>
  db
    .prepare(
      `SELECT ${COLUMNS}, closed_at, seal FROM audit_anchors WHERE principal IN (SELECT value FROM json_each(?))`,
    )
    .bind(JSON.stringify(principals));

/** Of the chains that are not over, those of principals behind `after` and before `end`, in the order of their names. */
export async function pageOfAnchors(
  db: D1Database,
  { after, end, limit }: { after: string; end: string; limit: number },
  key: string | undefined,
): Promise<AnchorRow[]> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS}, closed_at, seal FROM audit_anchors
       WHERE principal > ?1 AND principal < ?2 AND closed_at IS NULL ORDER BY principal LIMIT ?3`,
    )
    .bind(after, end, limit)
    .all();
  return rowsIn(results, key);
}

/** The rows of some principals. */
export async function anchorsOf(
  db: D1Database,
  principals: readonly string[],
  key: string | undefined,
): Promise<AnchorRow[]> {
  if (principals.length === 0) return [];
  const { results } = await selectRows(db, principals).all();
  return rowsIn(results, key);
}

/** One principal's row; undefined where there is none. */
export const findAnchorRow = async (
  db: D1Database,
  principal: string,
  key: string | undefined,
): Promise<AnchorRow | undefined> => (await anchorsOf(db, [principal], key))[0];
