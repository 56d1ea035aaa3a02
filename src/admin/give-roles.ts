import { runBatch } from "../database/run-batch.ts";
import { setCustomer, setRoles } from "../identity/administration.ts";
import { forgetIdentity, noteIdentity, noteRemoval } from "../identity/changes.ts";
import { isLastAdmin, keepingAnAdmin } from "../identity/last-admin.ts";
import { rolesOf } from "../identity/users.ts";
import type { AppContext } from "../app-types.ts";

/** Replaces a user's roles, and the customer if one is given. Returns false if no admin would be left. */
export async function giveRoles(
  c: AppContext,
  user: string,
  { roles, customer, by }: { roles: string[]; customer: string | undefined; by: string },
): Promise<boolean> {
  const { DB: db, USER_WINDOWS: callers } = c.env;
  const now = Date.now();
  const statements = [
    ...(customer === undefined ? [] : [setCustomer(user, customer)]),
    ...setRoles(user, roles, { by, now }),
  ];
  const before = await rolesOf(db, user);
  // A user who stays an admin can't be the last admin to lose the role.
  const set = () =>
    roles.includes("admin") ? runBatch(db, statements) : keepingAnAdmin(db, statements, { user }, now);
  if (customer === undefined && roles.every((role) => before.includes(role))) {
    if ((await set()) === undefined) return false;
    await noteRemoval(callers, user, { change: "roles_set", roles, by });
    return true;
  }
  if (!roles.includes("admin") && (await isLastAdmin(db, user, now))) return false;
  if (customer !== undefined)
    await noteIdentity(callers, user, { change: "customer_set", customer, by }, "before");
  await noteIdentity(callers, user, { change: "roles_set", roles, by }, "before");
  if ((await set()) !== undefined) {
    await forgetIdentity(callers, user);
    return true;
  }
  // The other admin was removed in between, so record the former roles again.
  await noteIdentity(callers, user, { change: "roles_set", roles: before, by }, "after");
  return false;
}
