import { scopesOf } from "../identity/scopes.ts";
import { findUser } from "../identity/users.ts";

/** Whether somebody may change the catalog now: an enabled user whose roles allow to administer. */
export async function isAdminNow(db: D1Database, user: string): Promise<boolean> {
  const found = await findUser(db, user);
  return found !== undefined && !found.isDisabled && scopesOf(found.roles).includes("admin");
}
