import { Hono } from "hono/tiny";
import type { AppTypes } from "../../app-types.ts";
import { parseArguments } from "../../validation/arguments.ts";
import { newUserSchema, rolesSchema } from "../../identity/administration.ts";
import { pageOfUsers } from "../../identity/lists.ts";
import { findUser } from "../../identity/users.ts";
import { type Refusal, refuse } from "../../refusal.ts";
import { addAccount, deleteAccount, setAccountEnabled, setAccountRoles } from "../accounts.ts";
import { type ApiContext, adminOf, answer, body } from "./api-request.ts";
import { list } from "./list-page.ts";

/** /admin/api/users: people and services, and their roles. */
export const usersApi = new Hono<AppTypes>();

usersApi.get("/", (c) => list(c, "users", (page) => pageOfUsers(c.env.DB, page)));

usersApi.post("/", async (c) => {
  const user = parseArguments(newUserSchema, await body(c));
  if (!user.ok) return answer(c, user.refusal);
  const refused = await addAccount(c, adminOf(c), user.value);
  return refused === undefined ? c.json({ id: user.value.id }, 201) : answer(c, refused);
});

usersApi.put("/:id/roles", async (c) => {
  const given = parseArguments(rolesSchema, await body(c));
  if (!given.ok) return answer(c, given.refusal);
  return changeUser(c, (id, known) => setAccountRoles(c, adminOf(c), { id, known }, given.value));
});
usersApi.post("/:id/enable", (c) =>
  changeUser(c, (id) => setAccountEnabled(c, adminOf(c), id, { isEnabled: true, note: null })),
);
usersApi.post("/:id/disable", (c) =>
  changeUser(c, (id) => setAccountEnabled(c, adminOf(c), id, { isEnabled: false, note: null })),
);
usersApi.delete("/:id", (c) => changeUser(c, (id) => deleteAccount(c, adminOf(c), id)));

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
