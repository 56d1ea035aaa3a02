import * as z from "zod";
import { type Page, type Position, pageOf } from "../database/page.ts";
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
/** Behind every moment and every name. */
const LATEST: Position = [Number.MAX_SAFE_INTEGER, ""];

/** A page of the chains that are not over, those that were anchored last first. */
export async function pageOfAnchors(
  db: D1Database,
  { after = LATEST, size }: { after: Position | undefined; size: number },
): Promise<Page<Anchor>> {
  const { results } = await db
    .prepare(
      `SELECT ${COLUMNS} FROM audit_anchors WHERE closed_at IS NULL AND (anchored_at, principal) < (?1, ?2)
       ORDER BY anchored_at DESC, principal DESC LIMIT ?3`,
    )
    .bind(...after, size + 1)
    .all();
  return pageOf(anchorSchema.array().parse(results), size, (each) => [each.anchored_at, each.principal]);
}

/** One principal's; undefined where it has no chain, or D1 says that it is over. */
export async function findAnchor(db: D1Database, principal: string): Promise<Anchor | undefined> {
  const row = await db
    .prepare(`SELECT ${COLUMNS} FROM audit_anchors WHERE principal = ?1 AND closed_at IS NULL`)
    .bind(principal)
    .first();
  return row === null ? undefined : anchorSchema.parse(row);
}
