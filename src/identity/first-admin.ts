import { runBatch } from "../database/run-batch.ts";
import type { Statement } from "../database/statement.ts";
import { bootstrapAdmin } from "./administration.ts";

/** Selects a row if the server has, or ever had, an admin. */
const ADMIN_EVER = `SELECT 1 FROM bootstrap
  UNION ALL SELECT 1 FROM user_roles WHERE role = 'admin'
  UNION ALL SELECT 1 FROM past_roles WHERE role = 'admin'`;

/** Databases that are known to have, or to have had, an admin. This never ends. */
const claimed = new WeakSet<D1Database>();

/** Returns whether this server has, or ever had, an admin. Needs a migrated database. */
export async function isClaimed(db: D1Database): Promise<boolean> {
  if (claimed.has(db)) return true;
  if ((await db.prepare(`${ADMIN_EVER} LIMIT 1`).first()) === null) return false;
  claimed.add(db);
  return true;
}

/** `secret` is the admin's access key. Both texts are shown once and not stored. */
export type Claim =
  | { ok: true; secret: string; recoveryCode: string }
  /** `claimed`: another request made the first admin before. `taken`: a user of that id exists. */
  | { ok: false; problem: "claimed" | "taken" };

/** Makes the first admin in one batch, which fails if there is, or ever was, an admin. */
export async function makeFirstAdmin(db: D1Database, userId: string, now: number): Promise<Claim> {
  const { secret, recoveryCode, statements } = bootstrapAdmin(userId, now);
  // Fails the whole batch if there is an admin, because user_id must not be null.
  const unlessClaimed: Statement = {
    sql: `INSERT INTO bootstrap (id, user_id, done_at) SELECT 1, NULL, 0 WHERE EXISTS (${ADMIN_EVER})`,
    values: [],
  };
  try {
    await runBatch(db, [unlessClaimed, ...statements]);
  } catch (error) {
    if (await isClaimed(db)) return { ok: false, problem: "claimed" };
    const user = await db.prepare("SELECT 1 FROM users WHERE id = ?").bind(userId).first();
    if (user !== null) return { ok: false, problem: "taken" };
    throw error;
  }
  claimed.add(db);
  return { ok: true, secret, recoveryCode };
}
