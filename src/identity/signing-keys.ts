import { hkdfSync, randomBytes } from "node:crypto";
import * as z from "zod";
import type { Statement } from "../database/statement.ts";
import { expiresInDays, expiryOf, line, userIdSchema } from "./administration.ts";
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from "./signature-profile.ts";
import { TOUCH_MS } from "./access-keys.ts";

const KEY_BYTES = 32;

/** The key that a signature's keyid names. */
export interface SigningKey {
  id: string;
  userId: string;
  algorithm: SignatureAlgorithm;
  /** The raw Ed25519 public key, or the HMAC key. */
  bytes: Uint8Array<ArrayBuffer>;
  expiresAt: number | null;
  revokedAt: number | null;
  /** Whether its last use must be written again. */
  touch: boolean;
}

const ed25519Text = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, "must be the 32 bytes of an Ed25519 key in base64url");
/** 32 bytes in base64url, or the JWK (RFC 8037) that holds them; a JWK of a private key is rejected. */
const publicKey = z.union([
  ed25519Text,
  z
    .looseObject({
      kty: z.literal("OKP"),
      crv: z.literal("Ed25519"),
      x: ed25519Text,
      d: z.undefined().optional(),
    })
    .transform(({ x }) => x),
]);

const common = { user: userIdSchema, label: line(100), expires_in_days: expiresInDays };
export const newSigningKeySchema = z.discriminatedUnion("algorithm", [
  z.strictObject({ ...common, algorithm: z.literal("hmac-sha256") }),
  z.strictObject({ ...common, algorithm: z.literal("ed25519"), public_key: publicKey }),
]);
export type NewSigningKey = z.output<typeof newSigningKeySchema>;

/** Creates a key: its id and its statement. */
export function createSigningKey(wanted: NewSigningKey, now: number, by: string | null = null) {
  const id = `sign-${randomBytes(6).toString("hex")}`;
  const { user, label, algorithm, expires_in_days } = wanted;
  const expiresAt = expiryOf(expires_in_days, now);
  const statement: Statement = {
    sql: `INSERT INTO signing_keys (id, user_id, label, algorithm, public_key, created_at, expires_at, created_by)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
    values: [
      id,
      user,
      label,
      algorithm,
      wanted.algorithm === "ed25519" ? wanted.public_key : null,
      now,
      expiresAt,
      by,
    ],
  };
  return { id, expiresAt, statement };
}

/**
 * Returns the secret of an HMAC key; the text itself is the key. It is derived (HKDF, RFC 5869), so a copy of the
 * database cannot sign anything. Another SECRET_KEY gives another secret.
 */
export function signingSecret(secretKey: string, keyId: string): string {
  const derived = hkdfSync("sha256", secretKey, "", `signing key ${keyId}`, KEY_BYTES);
  return `pcs_${Buffer.from(derived).toString("base64url")}`;
}

export const revokeSigningKey = (keyId: string, now: number): Statement[] => [
  {
    sql: "UPDATE signing_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
    values: [keyId, now],
  },
];

const signingKeyRow = z.object({
  id: z.string(),
  user_id: z.string(),
  algorithm: z.enum(SIGNATURE_ALGORITHMS),
  public_key: z.string().nullable(),
  expires_at: z.int().nullable(),
  last_used_at: z.int().nullable(),
  revoked_at: z.int().nullable(),
});

/** Returns the key with this id. Read on every signed request, so a revocation takes effect at once. */
export async function findSigningKey(
  db: D1Database,
  secretKey: string,
  keyId: string,
  now: number,
): Promise<SigningKey | undefined> {
  const row = await db
    .prepare(
      `SELECT id, user_id, algorithm, public_key, expires_at, last_used_at, revoked_at
       FROM signing_keys WHERE id = ?`,
    )
    .bind(keyId)
    .first();
  if (row === null) return undefined;
  const { id, user_id: userId, algorithm, public_key, ...times } = signingKeyRow.parse(row);
  return {
    id,
    userId,
    algorithm,
    bytes:
      public_key === null
        ? Uint8Array.from(Buffer.from(signingSecret(secretKey, id)))
        : Uint8Array.from(Buffer.from(public_key, "base64url")),
    expiresAt: times.expires_at,
    revokedAt: times.revoked_at,
    touch: now - (times.last_used_at ?? 0) >= TOUCH_MS,
  };
}

/** Notes that a key was used. Runs after the answer is sent. */
export async function touchSigningKey(db: D1Database, keyId: string, now: number): Promise<void> {
  await db.prepare("UPDATE signing_keys SET last_used_at = ?2 WHERE id = ?1").bind(keyId, now).run();
}
