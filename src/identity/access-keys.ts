import * as z from "zod";
import { SIGNATURE_RULES } from "./signature-profile.ts";
import { runBatch } from "../database/run-batch.ts";
import type { Statement } from "../database/statement.ts";
import { keepingAnAdmin } from "./last-admin.ts";
import { hashSecret } from "./secrets.ts";
import { type CredentialProblem, type Found, USER_COLUMNS, identified, userRow } from "./users.ts";

export type FoundKey =
  | (Extract<Found, { ok: true }> & { keyId: string; touch: boolean })
  | { ok: false; problem: CredentialProblem };

/** Milliseconds between two writes of a key's last use. */
export const TOUCH_MS = 60 * 60 * 1000;
const LISTED_MAX = 200;

const keyRow = userRow.extend({
  key_id: z.string(),
  key_roles: userRow.shape.user_roles.nullable(),
  signature: z.enum(SIGNATURE_RULES),
  expires_at: z.int().nullable(),
  revoked_at: z.int().nullable(),
  last_used_at: z.int().nullable(),
  key_created_at: z.int(),
  key_created_by: z.string().nullable(),
  key_apart: z.string().nullable(),
});

const SELECT = `SELECT ${USER_COLUMNS}, k.id AS key_id, k.roles AS key_roles, k.signature, k.expires_at, k.revoked_at, k.last_used_at,
    k.created_at AS key_created_at, k.created_by AS key_created_by, k.apart AS key_apart
  FROM access_keys k JOIN users u ON u.id = k.user_id`;

/** Returns the owner of a key, or why the key is refused. Runs on every call, so a revocation takes effect at once. */
export async function findKey(db: D1Database, key: string, now: number): Promise<FoundKey> {
  const row = await db.prepare(`${SELECT} WHERE k.hash = ?`).bind(hashSecret(key)).first();
  return checkKey(row, now);
}

/** Looks a key up by its id. A sign-in made with a key is valid only as long as the key. */
export async function findKeyById(db: D1Database, keyId: string, now: number): Promise<FoundKey> {
  const row = await db.prepare(`${SELECT} WHERE k.id = ?`).bind(keyId).first();
  return checkKey(row, now);
}

function checkKey(row: unknown, now: number): FoundKey {
  if (row === null) return { ok: false, problem: "key_unknown" };
  const {
    key_id: keyId,
    key_roles,
    signature,
    expires_at,
    revoked_at,
    last_used_at,
    key_created_at: created_at,
    key_created_by: created_by,
    key_apart: apart,
    ...user
  } = keyRow.parse(row);
  if (revoked_at !== null) return { ok: false, problem: "key_revoked" };
  if (expires_at !== null && expires_at <= now) return { ok: false, problem: "key_expired" };
  const found = identified(user, now, {
    narrowed: key_roles,
    signature,
    expiresAt: expires_at,
    made: { created_at, created_by, apart },
  });
  return found.ok ? { ...found, keyId, touch: now - (last_used_at ?? 0) >= TOUCH_MS } : found;
}

/** Returns whether a key has this id, also one that was revoked. */
export async function hasKey(db: D1Database, keyId: string): Promise<boolean> {
  return (await db.prepare("SELECT 1 FROM access_keys WHERE id = ?").bind(keyId).first()) !== null;
}

/** Notes that a key was used. Runs after the answer is sent. */
export async function touchKey(db: D1Database, keyId: string, now: number): Promise<void> {
  await db.prepare("UPDATE access_keys SET last_used_at = ?2 WHERE id = ?1").bind(keyId, now).run();
}

/** A key as its owner sees it. Times are milliseconds since the epoch. */
export interface OwnKey {
  id: string;
  label: string;
  /** The roles that the key is narrowed to; null for all of its owner's. */
  roles: string[] | null;
  createdAt: number;
  lastUsedAt: number | null;
  expiresAt: number | null;
}

const ownKeyRow = keyRow
  .pick({ key_id: true, key_roles: true, expires_at: true, last_used_at: true })
  .extend({ label: z.string(), created_at: z.int() });

/** Returns a user's valid keys, newest first. */
export async function listOwnKeys(db: D1Database, userId: string, now: number): Promise<OwnKey[]> {
  const { results } = await db
    .prepare(
      `SELECT id AS key_id, label, roles AS key_roles, created_at, expires_at, last_used_at FROM access_keys
       WHERE user_id = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)
       ORDER BY created_at DESC, id LIMIT ${LISTED_MAX}`,
    )
    .bind(userId, now)
    .all();
  return z
    .array(ownKeyRow)
    .parse(results)
    .map(({ key_id, label, key_roles, created_at, last_used_at, expires_at }) => ({
      id: key_id,
      label,
      roles: key_roles,
      createdAt: created_at,
      lastUsedAt: last_used_at,
      expiresAt: expires_at,
    }));
}

/**
 * Revokes one of a user's own keys. `none`: the key belongs to somebody else and is left alone, or is already revoked.
 * `last`: nobody would be left who is an admin with a way to sign in.
 */
export async function revokeOwnKey(
  db: D1Database,
  { id, userId, roles }: { id: string; userId: string; roles: readonly string[] },
  now: number,
): Promise<"revoked" | "none" | "last"> {
  const revoke: Statement = {
    sql: `UPDATE access_keys SET revoked_at = ?3 WHERE id = ?1 AND user_id = ?2 AND revoked_at IS NULL RETURNING id`,
    values: [id, userId, now],
  };
  const rows = roles.includes("admin")
    ? await keepingAnAdmin(db, [revoke], { key: id }, now)
    : await runBatch(db, [revoke]);
  if (rows === undefined) return "last";
  return rows[0]?.length === 1 ? "revoked" : "none";
}
