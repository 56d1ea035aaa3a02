import * as z from "zod";
import { type Anchor, type Head, anchorSchema } from "./chain.ts";

/** What of a chain D1 keeps. */
interface Anchored {
  principal: string;
  startedAt: number;
  checkpoint: Head;
}

/**
 * Writes down where a chain stands, and when a flow rule spoke since it was last written down, null where none did. An older
 * state of the same chain, or an older chain, changes nothing.
 */
export async function writeAnchor(
  db: D1Database,
  { principal, startedAt, checkpoint }: Anchored,
  head: Head,
  spokeAt: number | null,
  now: number,
  isMostlyRefused = false,
): Promise<Anchor> {
  const anchor = {
    principal,
    started_at: startedAt,
    seq: head.seq,
    hash: head.hash,
    checkpoint_seq: checkpoint.seq,
    checkpoint_hash: checkpoint.hash,
    anchored_at: now,
  };
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

/** Those at whose calls a flow rule spoke since a moment, the latest first and so many at most; and how many there are. */
export async function listSpokenTo(
  db: D1Database,
  since: number,
  limit: number,
): Promise<{ principals: string[]; total: number }> {
  const those = "closed_at IS NULL AND spoke_at >= ?1";
  const [listed, counted] = await db.batch([
    db
      .prepare(
        `SELECT principal FROM audit_anchors WHERE ${those} ORDER BY spoke_at DESC, principal LIMIT ?2`,
      )
      .bind(since, limit),
    db.prepare(`SELECT count(*) AS total FROM audit_anchors WHERE ${those}`).bind(since),
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

const LISTED_MAX = 1_000;

/** The chains that were written to last, or one principal's. */
export async function listAnchors(db: D1Database, principal: string | null = null): Promise<Anchor[]> {
  const { results } = await db
    .prepare(
      `SELECT principal, started_at, seq, hash, checkpoint_seq, checkpoint_hash, anchored_at FROM audit_anchors
       WHERE closed_at IS NULL AND (?1 IS NULL OR principal = ?1)
       ORDER BY anchored_at DESC, principal LIMIT ${LISTED_MAX}`,
    )
    .bind(principal)
    .all();
  return anchorSchema.array().parse(results);
}
