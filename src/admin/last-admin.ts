import { runBatch } from "../database/run-batch.ts";
import type { Statement } from "../database/statement.ts";

const ADMINS = `SELECT u.id FROM users u JOIN user_roles r ON r.user_id = u.id
  WHERE r.role = 'admin' AND u.disabled_at IS NULL`;

/** Whether a user is the only admin who is not disabled. */
export async function isLastAdmin(db: D1Database, user: string): Promise<boolean> {
  const { results } = await db.prepare(`${ADMINS} LIMIT 2`).all();
  return results.length === 1 && results[0]?.["id"] === user;
}

/**
 * Runs what may leave a user no admin; false, and nothing is changed, where it leaves nobody. It is asked in the
 * transaction of the change: two admins who demote each other at once would both have found the other there.
 */
export async function keepingAnAdmin(db: D1Database, statements: readonly Statement[]): Promise<boolean> {
  try {
    await runBatch(db, [...statements, SOMEBODY_IS_LEFT]);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes("malformed JSON")) return false;
    throw error;
  }
}

// SQLite has no way to end a transaction by a SELECT but an error; text that is no JSON makes one.
const SOMEBODY_IS_LEFT: Statement = {
  sql: `SELECT CASE WHEN EXISTS (${ADMINS}) THEN 1 ELSE json('') END`,
  values: [],
};
