import type { AppContext } from "../app-types.ts";
import { runBatch } from "../database/run-batch.ts";
import { disableUser, enableUser } from "../identity/administration.ts";
import { keepingAnAdmin } from "../identity/last-admin.ts";
import type { Decider } from "../caller/detection/decisions.ts";
import { CallerClient } from "../caller/caller-client.ts";

/**
 * Disables or enables an existing user. Returns false for the last admin, because nobody could undo that. Enabling is recorded
 * first, so that no unrecorded access is granted; disabling is done first, so that a failing audit can't delay it.
 */
export async function setEnabled(
  c: AppContext,
  user: string,
  isEnabled: boolean,
  decider: Decider,
): Promise<boolean> {
  const { DB: db, USER_WINDOWS: callers } = c.env;
  const object = new CallerClient(callers, user);
  if (isEnabled) {
    await object.noteChange({ ...decider, decision: "enabled" }, "before");
    await runBatch(db, enableUser(user));
    await object.forgetIdentity();
    return true;
  }
  const now = Date.now();
  if ((await keepingAnAdmin(db, disableUser(user, now), { user }, now)) === undefined) return false;
  await Promise.all([
    object.noteChange({ ...decider, decision: "disabled" }, "after"),
    object.forgetIdentity(),
  ]);
  return true;
}
