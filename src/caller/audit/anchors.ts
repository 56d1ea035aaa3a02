import { createHmac } from "node:crypto";
import * as z from "zod";
import { type Anchor, type Head, anchorSchema } from "./chain.ts";

/** The chain that an anchor belongs to. */
interface Anchored {
  principal: string;
  startedAt: number;
  checkpoint: Head;
}

/** Makes an anchor of a chain that ends at `head`. */
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

/** Returns a keyed hash of an anchor, which nobody can forge with access to D1 alone; null if the server has no key. */
export const sealOf = (anchor: Anchor, key: string | undefined): string | null =>
  key === undefined
    ? null
    : createHmac("sha256", key)
        .update(`anchor ${JSON.stringify(anchorSchema.parse(anchor))}`)
        .digest("base64url");

/** Facts about the caller that D1 keeps beside the anchor. */
interface CallerFlags {
  /** When a flow rule last matched since the previous anchor; null if none did. */
  lastHitAt: number | null;
  isMostlyRefused: boolean;
}

/**
 * Writes an anchor over an older row. An older state of the same chain, or an older chain, changes nothing, unless `over` is
 * "any": then the row is known to be forged. Statements in `first` run in the same transaction, before it. Returns the row that
 * was there before.
 */
export async function writeAnchor(
  db: D1Database,
  anchor: Anchor,
  { lastHitAt, isMostlyRefused }: CallerFlags,
  key: string | undefined,
  { over = "older", first = [] }: { over?: "older" | "any"; first?: D1PreparedStatement[] } = {},
): Promise<AnchorRow | undefined> {
  const [before] = await db.batch([
    selectRows(db, [anchor.principal]),
    ...first,
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
      .bind(...Object.values(anchor), lastHitAt, isMostlyRefused ? 1 : 0, sealOf(anchor, key), over),
  ]);
  return rowsIn(before?.results ?? [], key)[0];
}

/** Marks a chain as ended: retention has pruned all of it. */
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

/** Deletes some rows, of any principal, whose chain ended before a moment. */
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

/** Callers are counted up to this number. */
export const COUNTED_MAX = 200;

/**
 * Lists the callers that a flow rule matched since a moment, the latest first, up to `limit`. `total` counts all of them, up
 * to COUNTED_MAX.
 */
export async function listCallersWithHits(
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

/** A row of D1, possibly of a chain that it calls ended. */
export interface AnchorRow {
  anchor: Anchor;
  isClosed: boolean;
  /** Whether the seal is the one that a caller's object writes with the current key; false in rows of earlier releases. */
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

/** Returns the anchors of chains that have not ended, of principals after `after` and before `end`, ordered by name. */
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

/** Returns the rows of some principals. */
export async function anchorsOf(
  db: D1Database,
  principals: readonly string[],
  key: string | undefined,
): Promise<AnchorRow[]> {
  if (principals.length === 0) return [];
  const { results } = await selectRows(db, principals).all();
  return rowsIn(results, key);
}

/** Returns one principal's row; undefined if there is none. */
export const findAnchorRow = async (
  db: D1Database,
  principal: string,
  key: string | undefined,
): Promise<AnchorRow | undefined> => (await anchorsOf(db, [principal], key))[0];
