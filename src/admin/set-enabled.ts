import type { AppContext } from "../app-types.ts";
import { runBatch } from "../database/run-batch.ts";
import { disableUser, enableUser } from "../identity/administration.ts";
import type { Decider } from "../windows/flow-stage.ts";

/**
 * Disables or enables a user who exists; false where nobody else is an admin, as nobody could undo that. Its audit has
 * it first: a change that is in no audit must not happen.
 */
export async function setEnabled(
  c: AppContext,
  user: string,
  isEnabled: boolean,
  decider: Decider,
): Promise<boolean> {
  if (!isEnabled && (await isLastAdmin(c.env.DB, user))) return false;
  await c.env.USER_WINDOWS.getByName(user).noteChange({
    ...decider,
    principal: user,
    decision: isEnabled ? "enabled" : "disabled",
  });
  await runBatch(c.env.DB, isEnabled ? enableUser(user) : disableUser(user, Date.now()));
  return true;
}

/** Whether a user is the only admin who is not disabled. */
export async function isLastAdmin(db: D1Database, user: string): Promise<boolean> {
  const { results } = await db
    .prepare(
      `SELECT u.id FROM users u JOIN user_roles r ON r.user_id = u.id
       WHERE r.role = 'admin' AND u.disabled_at IS NULL LIMIT 2`,
    )
    .all();
  return results.length === 1 && results[0]?.["id"] === user;
}
