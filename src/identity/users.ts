import * as z from "zod";
import { type NewSecret, hashSecret, newSessionToken } from "./secrets.ts";

/** A user as a credential leads to it. */
export interface Identified {
  userId: string;
  kind: "user" | "service";
  roles: string[];
  customerId: string | undefined;
}

export type KeyProblem = "key_unknown" | "key_expired" | "key_revoked" | "user_disabled";
export type FoundKey =
  | { ok: true; keyId: string; user: Identified; touch: boolean }
  | { ok: false; problem: KeyProblem };

/** Milliseconds of a browser session: long enough for a working morning, short enough to forget. */
const SESSION_MS = 4 * 60 * 60 * 1000;
/** Last use is written at most this often. */
const TOUCH_MS = 60 * 60 * 1000;

const rolesColumn = z
  .string()
  .transform((json): unknown => JSON.parse(json))
  .pipe(z.array(z.string()));
const userColumns = {
  user_id: z.string(),
  kind: z.enum(["user", "service"]),
  customer_id: z.string().nullable(),
  disabled_at: z.int().nullable(),
  user_roles: rolesColumn,
};
const keyRow = z.object({
  ...userColumns,
  key_id: z.string(),
  key_roles: rolesColumn.nullable(),
  expires_at: z.int().nullable(),
  revoked_at: z.int().nullable(),
  last_used_at: z.int().nullable(),
});

const KEY_COLUMNS = `u.id AS user_id, u.kind, u.customer_id, u.disabled_at,
  (SELECT json_group_array(role) FROM (SELECT role FROM user_roles WHERE user_id = u.id ORDER BY role)) AS user_roles,
  k.id AS key_id, k.roles AS key_roles, k.expires_at, k.revoked_at, k.last_used_at`;

/** Who a key belongs to, or why it is refused. Read on every call, so that a revocation holds at once. */
export async function findKey(db: D1Database, key: string, now: number): Promise<FoundKey> {
  const row = await db
    .prepare(`SELECT ${KEY_COLUMNS} FROM access_keys k JOIN users u ON u.id = k.user_id WHERE k.hash = ?`)
    .bind(hashSecret(key))
    .first();
  return checkKey(row, now);
}

/** Who a key belongs to, by its name: what was signed in with it stands and falls with it. */
export async function findKeyById(db: D1Database, keyId: string, now: number): Promise<FoundKey> {
  const row = await db
    .prepare(`SELECT ${KEY_COLUMNS} FROM access_keys k JOIN users u ON u.id = k.user_id WHERE k.id = ?`)
    .bind(keyId)
    .first();
  return checkKey(row, now);
}

function checkKey(row: unknown, now: number): FoundKey {
  if (row === null) return { ok: false, problem: "key_unknown" };
  const found = keyRow.parse(row);
  if (found.revoked_at !== null) return { ok: false, problem: "key_revoked" };
  if (found.expires_at !== null && found.expires_at <= now) return { ok: false, problem: "key_expired" };
  if (found.disabled_at !== null) return { ok: false, problem: "user_disabled" };
  const narrowed = found.key_roles;
  const roles =
    narrowed === null ? found.user_roles : found.user_roles.filter((role) => narrowed.includes(role));
  const { user_id: userId, kind, customer_id } = found;
  return {
    ok: true,
    keyId: found.key_id,
    user: { userId, kind, roles, customerId: customer_id ?? undefined },
    touch: now - (found.last_used_at ?? 0) >= TOUCH_MS,
  };
}

/** Notes that a key was used; off the answer's path. */
export async function touchKey(db: D1Database, keyId: string, now: number): Promise<void> {
  await db.prepare("UPDATE access_keys SET last_used_at = ?2 WHERE id = ?1").bind(keyId, now).run();
}

/** Begins a browser session; the secret goes into its cookie. */
export async function startSession(
  db: D1Database,
  userId: string,
  keyId: string,
  now: number,
): Promise<NewSecret> {
  const session = newSessionToken();
  await db.batch([
    db.prepare("DELETE FROM sessions WHERE expires_at <= ?").bind(now),
    db
      .prepare("INSERT INTO sessions (hash, user_id, key_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)")
      .bind(session.hash, userId, keyId, now, now + SESSION_MS),
  ]);
  return session;
}

/** The key and user behind a session that has not ended. */
export async function findSession(db: D1Database, secret: string, now: number): Promise<FoundKey> {
  const row = await db
    .prepare(
      `SELECT ${KEY_COLUMNS} FROM sessions s JOIN access_keys k ON k.id = s.key_id JOIN users u ON u.id = s.user_id
       WHERE s.hash = ?1 AND s.expires_at > ?2`,
    )
    .bind(hashSecret(secret), now)
    .first();
  return checkKey(row, now);
}

export async function endSession(db: D1Database, secret: string): Promise<void> {
  await db.prepare("DELETE FROM sessions WHERE hash = ?").bind(hashSecret(secret)).run();
}
