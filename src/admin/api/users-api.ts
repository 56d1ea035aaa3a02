import { Hono } from "hono/tiny";
import type { AppTypes } from "../../app-types.ts";
import { parseArguments } from "../../validation/arguments.ts";
import { runBatch } from "../../database/run-batch.ts";
import { addUser, newUserSchema, rolesSchema } from "../../identity/administration.ts";
import { isLastAdmin } from "../../identity/last-admin.ts";
import { pageOfUsers } from "../../identity/lists.ts";
import { findUser } from "../../identity/users.ts";
import { type Refusal, refuse } from "../../refusal.ts";
import { isCustomer, needsCustomer } from "../../support/own-customer.ts";
import { countWrite } from "../admin-writes.ts";
import { removeUser } from "../delete-user.ts";
import { setEnabled } from "../set-enabled.ts";
import { type ApiContext, LAST_ADMIN, adminOf, answer, body, note } from "./api-request.ts";
import { giveRoles } from "./give-roles.ts";
import { list } from "./list-page.ts";
import { makerOf } from "./maker.ts";

/** /admin/api/users: people and services, and their roles. */
export const usersApi = new Hono<AppTypes>();

usersApi.get("/", (c) => list(c, "users", (page) => pageOfUsers(c.env.DB, page)));

usersApi.post("/", async (c) => {
  const user = parseArguments(newUserSchema, await body(c));
  if (!user.ok) return answer(c, user.refusal);
  const { id, roles, customer_id: customer = null } = user.value;
  const taken = refuse(
    "conflict",
    "A user has or had that id. Ids of deleted users are not used again; choose another.",
  ).refusal;
  if (await hasBeenUser(c, id)) return answer(c, taken);
  const maker = await makerOf(c, user.value.recovery_code);
  const refused =
    (await refuseCustomer(c, roles, customer)) ??
    maker.refusal ??
    (await countWrite(c, adminOf(c), { gives: "users.add" }));
  if (refused !== undefined) return answer(c, refused);
  await note(c, id, { change: "user_added", roles, customer });
  try {
    await runBatch(c.env.DB, addUser(user.value, Date.now(), maker));
  } catch (error) {
    // Two concurrent requests can both find the id free.
    if (!(await hasBeenUser(c, id))) throw error;
    return answer(c, taken);
  }
  return c.json({ id }, 201);
});

usersApi.put("/:id/roles", async (c) => {
  const given = parseArguments(rolesSchema, await body(c));
  if (!given.ok) return answer(c, given.refusal);
  const { roles, customer_id } = given.value;
  return changeUser(c, async (id, known) => {
    const refused = await refuseCustomer(c, roles, customer_id ?? known.customerId);
    if (refused !== undefined) return refused;
    if (!roles.includes("admin") && (await isLastAdmin(c.env.DB, id, Date.now()))) return LAST_ADMIN;
    const isMore = customer_id !== undefined || !roles.every((role) => known.roles.includes(role));
    const write = isMore ? ({ gives: "users.roles" } as const) : ({ takes: "users.roles" } as const);
    const uncounted = await countWrite(c, adminOf(c), write);
    return uncounted ?? ((await giveRoles(c, id, roles, customer_id)) ? undefined : LAST_ADMIN);
  });
});
usersApi.post("/:id/enable", (c) =>
  changeUser(c, async (id) => {
    const uncounted = await countWrite(c, adminOf(c), { gives: "users.enable" });
    if (uncounted === undefined) await setEnabled(c, id, true, { by: adminOf(c).id, note: null });
    return uncounted;
  }),
);
usersApi.post("/:id/disable", (c) =>
  changeUser(c, async (id) => {
    if (!(await setEnabled(c, id, false, { by: adminOf(c).id, note: null }))) return LAST_ADMIN;
    return countWrite(c, adminOf(c), { takes: "users.disable" });
  }),
);
usersApi.delete("/:id", (c) =>
  changeUser(c, async (id) => {
    if (!(await removeUser(c, id, adminOf(c).id))) return LAST_ADMIN;
    return countWrite(c, adminOf(c), { takes: "users.delete" });
  }),
);

/** Changes the user that the path names. `change` returns the refusal if it can't. */
async function changeUser(
  c: ApiContext,
  change: (
    id: string,
    known: NonNullable<Awaited<ReturnType<typeof findUser>>>,
  ) => Promise<Refusal | undefined>,
): Promise<Response> {
  const id = c.req.param("id") ?? "";
  const known = await findUser(c.env.DB, id);
  if (known === undefined) return answer(c, refuse("not_found", "There is no user of that id.").refusal);
  const refused = await change(id, known);
  return refused === undefined ? c.json({ id }) : answer(c, refused);
}

/** Returns a refusal if the roles need a customer and none is given, or if the support desk has no such customer. */
async function refuseCustomer(
  c: ApiContext,
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
async function hasBeenUser(c: ApiContext, id: string): Promise<boolean> {
  return (await c.env.DB.prepare("SELECT 1 FROM users WHERE id = ?").bind(id).first()) !== null;
}
