import * as z from "zod";
import { type Credential, findCredential } from "./credentials.ts";
import { SIGN_ON } from "./lineage.ts";
import { type NewSecret, hashSecret, newSessionToken } from "./secrets.ts";
import type { Identified } from "./users.ts";

/** Milliseconds of a browser session: long enough for half a working day, short enough that a forgotten one ends. */
const SESSION_MS = 4 * 60 * 60 * 1000;

/** A signed-in browser session. */
export interface SignedIn {
  credential: Credential;
  user: Identified;
  /** Whether the credential has only some of its user's roles. */
  narrowed: boolean;
  /** Milliseconds since the epoch. */
  signedInAt: number;
  /**
   * Whether a person signed in at the provider. A program can hold and paste an access key, so a decision that needs a
   * person is accepted only in an interactive session.
   */
  interactive: boolean;
}

/** Starts a browser session and returns the secret for its cookie. */
export async function startSession(
  db: D1Database,
  { user, credential }: Pick<SignedIn, "user" | "credential">,
  now: number,
): Promise<NewSecret> {
  const session = newSessionToken();
  const keyId = "keyId" in credential ? credential.keyId : null;
  const identityId = "identityId" in credential ? credential.identityId : null;
  await db.batch([
    db.prepare("DELETE FROM sessions WHERE expires_at <= ?").bind(now),
    db
      .prepare(
        `INSERT INTO sessions (hash, user_id, key_id, identity_id, created_at, expires_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6,
           CASE WHEN ?3 IS NULL THEN '${SIGN_ON}' ELSE (SELECT created_by FROM access_keys WHERE id = ?3) END)`,
      )
      .bind(session.hash, user.userId, keyId, identityId, now, now + SESSION_MS),
  ]);
  return session;
}

const credentialColumns = z.union([
  z.object({ key_id: z.string() }).transform(({ key_id: keyId }) => ({ keyId })),
  z.object({ identity_id: z.string() }).transform(({ identity_id: identityId }) => ({ identityId })),
]);

/** Returns the session of a secret if neither it nor its credential has ended. */
export async function findSession(
  db: D1Database,
  secret: string,
  now: number,
): Promise<SignedIn | undefined> {
  const row = await db
    .prepare("SELECT key_id, identity_id, created_at FROM sessions WHERE hash = ?1 AND expires_at > ?2")
    .bind(hashSecret(secret), now)
    .first();
  if (row === null) return undefined;
  const credential = credentialColumns.parse(row);
  const found = await findCredential(db, credential, now);
  if (!found.ok) return undefined;
  return {
    credential,
    user: found.user,
    narrowed: found.narrowed,
    signedInAt: z.int().parse(row["created_at"]),
    interactive: "identityId" in credential,
  };
}

export async function endSession(db: D1Database, secret: string): Promise<void> {
  await db.prepare("DELETE FROM sessions WHERE hash = ?").bind(hashSecret(secret)).run();
}
