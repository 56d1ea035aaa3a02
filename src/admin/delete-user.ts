import { waitUntil } from "cloudflare:workers";
import type { AppContext } from "../app-types.ts";
import { deleteUser } from "../identity/administration.ts";
import { noteRemoval } from "../identity/changes.ts";
import { endEveryConnection } from "../identity/grants.ts";
import { keepingAnAdmin } from "../identity/last-admin.ts";
import { grantsOf } from "../identity/oauth.ts";
import { logSurprise } from "../telemetry/log.ts";

/**
 * Deletes an existing user with keys, sessions, sign-ins and grants. Returns false for the last admin. The audit stays, and
 * the id is never used again.
 */
export async function removeUser(c: AppContext, user: string, by: string): Promise<boolean> {
  const now = Date.now();
  const statements = deleteUser(user, now, by);
  if ((await keepingAnAdmin(c.env.DB, statements, { user }, now)) === undefined) return false;
  await noteRemoval(c.env.USER_WINDOWS, user, { change: "user_deleted", by });
  // Grants may end later: they are useless already, because their credential is gone.
  waitUntil(
    endEveryConnection(grantsOf(c), user).catch((error: unknown) => logSurprise(error, { what: "grants" })),
  );
  return true;
}
