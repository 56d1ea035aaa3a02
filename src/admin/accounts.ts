import type { AppContext } from "../app-types.ts";
import { runBatch } from "../database/run-batch.ts";
import { type NewUser, addUser } from "../identity/administration.ts";
import { noteIdentity } from "../identity/changes.ts";
import { isLastAdmin } from "../identity/last-admin.ts";
import type { Principal } from "../identity/principal.ts";
import type { findUser } from "../identity/users.ts";
import { type Refusal, refuse } from "../refusal.ts";
import { isCustomer, needsCustomer } from "../support/own-customer.ts";
import { countWrite } from "./admin-writes.ts";
import { removeUser } from "./delete-user.ts";
import { giveRoles } from "./give-roles.ts";
import { makerOf } from "./maker.ts";
import { setEnabled } from "./set-enabled.ts";

// The changes that an admin makes to users, for the admin API and the dashboard. Each returns the refusal if it can't be made.

/** The refusal of a change that would remove the last admin. */
export const LAST_ADMIN = refuse(
  "conflict",
  "This is the only admin, so nobody could undo this. Add another admin first.",
).refusal;

const TAKEN = refuse(
  "conflict",
  "A user has or had that id. Ids of deleted users are not used again; choose another.",
).refusal;

export async function addAccount(
  c: AppContext,
  admin: Principal,
  wanted: NewUser,
): Promise<Refusal | undefined> {
  const { id, roles, customer_id: customer = null } = wanted;
  if (await hasBeenUser(c, id)) return TAKEN;
  const maker = await makerOf(c.env.DB, admin.id, wanted.recovery_code);
  const refused =
    (await refuseCustomer(c, roles, customer)) ??
    maker.refusal ??
    (await countWrite(c, admin, { gives: "users.add" }));
  if (refused !== undefined) return refused;
  const added = { change: "user_added", roles, customer, by: admin.id } as const;
  await noteIdentity(c.env.USER_WINDOWS, id, added, "before");
  try {
    await runBatch(c.env.DB, addUser(wanted, Date.now(), maker));
  } catch (error) {
    // Two concurrent requests can both find the id free.
    if (!(await hasBeenUser(c, id))) throw error;
    return TAKEN;
  }
  return undefined;
}

/** Gives an existing user exactly these roles, and the customer if one is given. */
export async function setAccountRoles(
  c: AppContext,
  admin: Principal,
  { id, known }: { id: string; known: NonNullable<Awaited<ReturnType<typeof findUser>>> },
  { roles, customer_id: customer }: { roles: string[]; customer_id?: string | undefined },
): Promise<Refusal | undefined> {
  const refused = await refuseCustomer(c, roles, customer ?? known.customerId);
  if (refused !== undefined) return refused;
  if (!roles.includes("admin") && (await isLastAdmin(c.env.DB, id, Date.now()))) return LAST_ADMIN;
  const isMore = customer !== undefined || !roles.every((role) => known.roles.includes(role));
  const write = isMore ? ({ gives: "users.roles" } as const) : ({ takes: "users.roles" } as const);
  const uncounted = await countWrite(c, admin, write);
  if (uncounted !== undefined) return uncounted;
  return (await giveRoles(c, id, { roles, customer, by: admin.id })) ? undefined : LAST_ADMIN;
}

/** Disables or enables an existing user. */
export async function setAccountEnabled(
  c: AppContext,
  admin: Principal,
  id: string,
  { isEnabled, note }: { isEnabled: boolean; note: string | null },
): Promise<Refusal | undefined> {
  const decider = { by: admin.id, note };
  if (isEnabled) {
    const uncounted = await countWrite(c, admin, { gives: "users.enable" });
    if (uncounted === undefined) await setEnabled(c, id, true, decider);
    return uncounted;
  }
  if (!(await setEnabled(c, id, false, decider))) return LAST_ADMIN;
  return countWrite(c, admin, { takes: "users.disable" });
}

/** Deletes an existing user. */
export async function deleteAccount(
  c: AppContext,
  admin: Principal,
  id: string,
): Promise<Refusal | undefined> {
  if (!(await removeUser(c, id, admin.id))) return LAST_ADMIN;
  return countWrite(c, admin, { takes: "users.delete" });
}

/** Returns a refusal if the roles need a customer and none is given, or if the support desk has no such customer. */
async function refuseCustomer(
  c: AppContext,
  roles: readonly string[],
  customer: string | null,
): Promise<Refusal | undefined> {
  if (customer === null)
    return needsCustomer(c.var.policy, roles)
      ? refuse("invalid_arguments", "customer_id: is missing. These roles read only a customer's own rows.")
          .refusal
      : undefined;
  return (await isCustomer(c.env.DB, customer))
    ? undefined
    : refuse("invalid_arguments", "customer_id: is not a customer of the support desk.").refusal;
}

/** Whether a user has that id, or a deleted user had it. */
async function hasBeenUser(c: AppContext, id: string): Promise<boolean> {
  return (await c.env.DB.prepare("SELECT 1 FROM users WHERE id = ?").bind(id).first()) !== null;
}
