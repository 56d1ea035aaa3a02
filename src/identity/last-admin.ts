import * as z from "zod";
import { runBatch } from "../database/run-batch.ts";
import type { Statement } from "../database/statement.ts";

/** The target of a removal: a whole user, or one access key or signing key. */
type Taken = { user: string } | { key: string };

const isLive = (row: string, now: string) =>
  `${row}.revoked_at IS NULL AND (${row}.expires_at IS NULL OR ${row}.expires_at > ${now})`;

/**
 * Selects admins who can sign in: with a key that has the role, and a signing key beside it if required; or through the
 * provider. The arguments name parameters: the time, and the user and the key to ignore, each null for none.
 */
const admins = (now: string, user: string, key: string) => `SELECT 1 FROM users u
  JOIN user_roles r ON r.user_id = u.id
  WHERE r.role = 'admin' AND u.disabled_at IS NULL AND u.id IS NOT ${user} AND (
    EXISTS (SELECT 1 FROM access_keys k WHERE k.user_id = u.id AND k.id IS NOT ${key} AND ${isLive("k", now)}
      AND (k.roles IS NULL OR EXISTS (SELECT 1 FROM json_each(k.roles) WHERE value = 'admin'))
      AND (k.signature <> 'required'
        OR EXISTS (SELECT 1 FROM signing_keys s
          WHERE s.user_id = u.id AND s.id IS NOT ${key} AND ${isLive("s", now)})))
    OR EXISTS (SELECT 1 FROM external_identities e WHERE e.user_id = u.id AND e.expires_at > ${now}))`;

/** Returns whether this user is the only admin who can sign in. */
export async function isLastAdmin(db: D1Database, user: string, now: number): Promise<boolean> {
  const others = `${admins("?1", "?2", "NULL")} LIMIT 1`;
  return (await db.prepare(others).bind(now, user).first()) === null;
}

function addCondition(sql: string, condition: string): string {
  const returning = sql.search(/\sRETURNING\s/);
  const end = returning === -1 ? sql.length : returning;
  return `${sql.slice(0, end)} AND ${condition}${sql.slice(end)}`;
}

const keptRow = z.object({ kept: z.int() });

/**
 * Runs statements that take something away, unless no admin who can sign in would remain. Returns the rows of each
 * statement, or undefined if nothing was changed. Each statement ends with its WHERE clause or a RETURNING after it, to
 * which the condition is added. It is checked in the transaction of the change, so two admins who demote each other at
 * once cannot both succeed.
 */
export async function keepingAnAdmin(
  db: D1Database,
  statements: readonly Statement[],
  taken: Taken,
  now: number,
): Promise<unknown[][] | undefined> {
  const values = [now, "user" in taken ? taken.user : null, "key" in taken ? taken.key : null];
  const isKept = (from: number) => `EXISTS (${admins(`?${from + 1}`, `?${from + 2}`, `?${from + 3}`)})`;
  const conditional = statements.map((statement) => ({
    sql: addCondition(statement.sql, isKept(statement.values.length)),
    values: [...statement.values, ...values],
  }));
  const [kept, ...rows] = await runBatch(db, [
    { sql: `SELECT ${isKept(0)} AS kept`, values },
    ...conditional,
  ]);
  return keptRow.parse(kept?.[0]).kept === 1 ? rows : undefined;
}
