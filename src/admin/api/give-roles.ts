import { runBatch } from "../../database/run-batch.ts";
import { setCustomer, setRoles } from "../../identity/administration.ts";
import { isLastAdmin, keepingAnAdmin } from "../../identity/last-admin.ts";
import { rolesOf } from "../../identity/users.ts";
import { type ApiContext, adminOf, note } from "./answer.ts";

/** Sets all of a user's roles, and the customer if one is given; false if nobody else would be an admin. */
export async function giveRoles(
  c: ApiContext,
  user: string,
  roles: string[],
  customer: string | undefined,
): Promise<boolean> {
  const { DB: db } = c.env;
  const now = Date.now();
  const statements = [
    ...(customer === undefined ? [] : [setCustomer(user, customer)]),
    ...setRoles(user, roles, { by: adminOf(c).id, now }),
  ];
  const before = await rolesOf(db, user);
  // Whoever stays an admin takes none away.
  const set = () =>
    roles.includes("admin") ? runBatch(db, statements) : keepingAnAdmin(db, statements, { user }, now);
  if (customer === undefined && roles.every((role) => before.includes(role))) {
    if ((await set()) === undefined) return false;
    await note(c, user, { change: "roles_set", roles }, "after");
    return true;
  }
  if (!roles.includes("admin") && (await isLastAdmin(db, user, now))) return false;
  if (customer !== undefined) await note(c, user, { change: "customer_set", customer });
  await note(c, user, { change: "roles_set", roles });
  if ((await set()) !== undefined) return true;
  // The other admin went in between: what the audit has is taken back.
  await note(c, user, { change: "roles_set", roles: before }, "after");
  return false;
}
