import { type Anchor, type Head, anchorSchema } from "./chain.ts";

/** What of a chain D1 keeps. */
interface Anchored {
  principal: string;
  startedAt: number;
  checkpoint: Head;
}

/** Writes down where a chain stands. An older state of the same chain, or an older chain, changes nothing. */
export async function writeAnchor(
  db: D1Database,
  { principal, startedAt, checkpoint }: Anchored,
  head: Head,
  now: number,
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
      `INSERT INTO audit_anchors (principal, started_at, seq, hash, checkpoint_seq, checkpoint_hash, anchored_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
       ON CONFLICT (principal) DO UPDATE SET started_at = ?2, seq = ?3, hash = ?4, checkpoint_seq = ?5,
         checkpoint_hash = ?6, anchored_at = ?7, closed_at = NULL
       WHERE ?2 > started_at OR (?2 = started_at AND ?3 >= seq)`,
    )
    .bind(...Object.values(anchor))
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
