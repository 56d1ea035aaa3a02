import { runBatch } from "../database/run-batch.ts";
import type { Statement } from "../database/statement.ts";

const isLive = (row: string) =>
  `${row}.revoked_at IS NULL AND (${row}.expires_at IS NULL OR ${row}.expires_at > ?1)`;

/** Admins with a way in: a key that has the role, and is enough or has a signing key beside it; or a sign-in by the provider. */
const ADMINS = `SELECT 1 FROM users u JOIN user_roles r ON r.user_id = u.id
  WHERE r.role = 'admin' AND u.disabled_at IS NULL AND (
    EXISTS (SELECT 1 FROM access_keys k WHERE k.user_id = u.id AND ${isLive("k")}
      AND (k.roles IS NULL OR EXISTS (SELECT 1 FROM json_each(k.roles) WHERE value = 'admin'))
      AND (k.signature <> 'required'
        OR EXISTS (SELECT 1 FROM signing_keys s WHERE s.user_id = u.id AND ${isLive("s")})))
    OR EXISTS (SELECT 1 FROM external_identities e WHERE e.user_id = u.id AND e.expires_at > ?1))`;

/** Whether nobody but a user is an admin with a way in. */
export async function isLastAdmin(db: D1Database, user: string, now: number): Promise<boolean> {
  return (await db.prepare(`${ADMINS} AND u.id <> ?2 LIMIT 1`).bind(now, user).first()) === null;
}

/**
 * Runs what may leave nobody who is an admin with a way in, and gives the rows of each statement; undefined, and nothing
 * is changed, where it does. It is asked in the transaction of the change: two admins who demote each other at once would
 * both have found the other there.
 */
export async function keepingAnAdmin(
  db: D1Database,
  statements: readonly Statement[],
  now: number,
): Promise<unknown[][] | undefined> {
  try {
    const rows = await runBatch(db, [...statements, somebodyIsLeft(now)]);
    return rows.slice(0, -1);
  } catch (error) {
    if (error instanceof Error && error.message.includes("malformed JSON")) return undefined;
    throw error;
  }
}

// SQLite has no way to end a transaction by a SELECT but an error; text that is no JSON makes one.
const somebodyIsLeft = (now: number): Statement => ({
  sql: `SELECT CASE WHEN EXISTS (${ADMINS}) THEN 1 ELSE json('') END`,
  values: [now],
});
