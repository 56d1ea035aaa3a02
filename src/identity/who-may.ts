import type { SignedIn } from "./sessions.ts";

/** Milliseconds after which a key is trusted, whoever was there before it: an admin whom nobody knows is seen by then. */
const PROVEN_MS = 7 * 24 * 60 * 60 * 1000;

/**
 * Whether somebody may decide that a principal's work goes on. The suspect's own key never suffices: whoever
 * holds it, a program too, can paste it into the sign-in page. So a person decides about their own work only
 * where they have signed in at the provider, and an admin about everybody else's; a service's work, and that
 * of callers without a name, is an admin's to decide. An admin's key suffices where the suspect can't have had it made.
 */
export async function mayDecide(
  db: D1Database,
  { user, interactive, credential }: Pick<SignedIn, "user" | "interactive" | "credential">,
  principal: string,
  now: number,
): Promise<boolean> {
  const isOwn = user.userId === principal;
  if (isOwn) return interactive && user.kind === "user";
  if (!user.roles.includes("admin")) return false;
  return "keyId" in credential ? isBeyondReach(db, credential.keyId, principal, now) : true;
}

/** Whether a principal can't have had a key made: it is no admin, or came after the key, or the key is proven. */
async function isBeyondReach(
  db: D1Database,
  keyId: string,
  principal: string,
  now: number,
): Promise<boolean> {
  const row = await db
    .prepare(
      `SELECT 1 FROM access_keys k WHERE k.id = ?1 AND (k.created_at < ?3 OR NOT EXISTS (
         SELECT 1 FROM users u JOIN user_roles r ON r.user_id = u.id
         WHERE u.id = ?2 AND r.role = 'admin' AND u.created_at <= k.created_at))`,
    )
    .bind(keyId, principal, now - PROVEN_MS)
    .first();
  return row !== null;
}
