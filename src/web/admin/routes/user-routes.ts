import { Hono } from "hono/tiny";
import { makeKey, revokeAnyKey } from "../../../admin/access-keys.ts";
import { addAccount, deleteAccount, setAccountEnabled, setAccountRoles } from "../../../admin/accounts.ts";
import type { AppContext, AppTypes } from "../../../app-types.ts";
import { newKeySchema, newUserSchema, rolesSchema } from "../../../identity/administration.ts";
import type { SignedIn } from "../../../identity/sessions.ts";
import { findUser } from "../../../identity/users.ts";
import type { Outcome } from "../../../refusal.ts";
import { clip, plainLine } from "../../../text/plain-text.ts";
import { readForm, textOf } from "../../layout/form-guards.ts";
import { notFoundPage } from "../admin-page.tsx";
import { NOT_SENT, checkForm, listOf, problemsOf } from "../form-values.ts";
import { asAdmin } from "../page-guard.tsx";
import { refusalWords } from "../refusal-words.ts";
import { USERS, userPath } from "../users/paths.ts";
import { usersPage } from "../users/users-page.tsx";
import { deciderOf, principalOf } from "./decider.ts";
import { DONE_MESSAGES } from "./done-messages.ts";
import { afterOf } from "./list-position.ts";
import { keyIdSchema, readUsers, showUser } from "./show-user.ts";

export const userRoutes = new Hono<AppTypes>();

userRoutes.get(
  "/admin/users",
  asAdmin((c, admin) => showUsers(c, admin)),
);
userRoutes.post(
  "/admin/users",
  asAdmin(async (c, admin) => {
    const form = await readForm(c);
    const checked = checkForm(newUserSchema, {
      id: textOf(form, "id").trim(),
      kind: textOf(form, "kind") || undefined,
      name: textOf(form, "name"),
      roles: listOf(form, "roles"),
      customer_id: textOf(form, "customer_id").trim() || undefined,
      recovery_code: textOf(form, "recovery_code") || undefined,
    });
    if ("problems" in checked) return showUsers(c, admin, { form, ...checked });
    const refused = await addAccount(c, principalOf(admin), checked.value);
    return refused === undefined
      ? c.redirect(`${userPath(checked.value.id)}?done=added`, 303)
      : showUsers(c, admin, { form, problems: problemsOf(refused) });
  }),
);

async function showUsers(c: AppContext, admin: SignedIn, sent = NOT_SENT): Promise<Response> {
  const now = Date.now();
  const prefix = clip(plainLine(c.req.query("q") ?? ""), 64);
  const message = DONE_MESSAGES.get(c.req.query("done"));
  const page = await readUsers(c.env.DB, { after: afterOf(c), prefix, now });
  return usersPage({ admin, page, cursor: c.req.query("after"), prefix, sent, message, now });
}

type Known = NonNullable<Awaited<ReturnType<typeof findUser>>>;

/** A route about the user that the path names, who exists. */
const withKnown = (handle: (c: AppContext, admin: SignedIn, id: string, known: Known) => Promise<Response>) =>
  asAdmin(async (c, admin) => {
    const id = c.req.param("id") ?? "";
    const known = await findUser(c.env.DB, id);
    return known === undefined ? notFoundPage(admin, USERS) : handle(c, admin, id, known);
  });

userRoutes.get(
  "/admin/users/:id",
  withKnown((c, admin, id, { roles }) =>
    showUser(c, admin, { id, roles, message: DONE_MESSAGES.get(c.req.query("done")) }),
  ),
);
userRoutes.post(
  "/admin/users/:id/roles",
  withKnown(async (c, admin, id, known) => {
    const form = await readForm(c);
    const checked = checkForm(rolesSchema, {
      roles: listOf(form, "roles"),
      customer_id: textOf(form, "customer_id").trim() || undefined,
    });
    const problems =
      "problems" in checked
        ? checked.problems
        : await setAccountRoles(c, principalOf(admin), { id, known }, checked.value);
    if (problems === undefined) return c.redirect(`${userPath(id)}?done=roles`, 303);
    const rolesSent = { form, problems: problems instanceof Map ? problems : problemsOf(problems) };
    return showUser(c, admin, { id, roles: known.roles, rolesSent, status: 409 });
  }),
);
for (const isEnabled of [true, false])
  userRoutes.post(
    `/admin/users/:id/${isEnabled ? "enable" : "disable"}`,
    withKnown(async (c, admin, id, { roles }) => {
      const { note } = deciderOf(admin, await readForm(c));
      const refused = await setAccountEnabled(c, principalOf(admin), id, { isEnabled, note });
      if (refused !== undefined)
        return showUser(c, admin, { id, roles, message: refusalWords(refused), status: 409 });
      return c.redirect(`${userPath(id)}?done=${isEnabled ? "enabled" : "disabled"}`, 303);
    }),
  );
userRoutes.post(
  "/admin/users/:id/delete",
  withKnown(async (c, admin, id, { roles }) => {
    const again = (message: string) => showUser(c, admin, { id, roles, message, status: 409 });
    if (textOf(await readForm(c), "id") !== id) return again("Not deleted: the id does not match.");
    const refused = await deleteAccount(c, principalOf(admin), id);
    return refused === undefined ? c.redirect(`${USERS}?done=deleted`, 303) : again(refusalWords(refused));
  }),
);

// The answer shows the key, so it is no redirect: the key must not be in an address. A form that is sent again, as by going back,
// names the same key and is refused.
userRoutes.post(
  "/admin/users/:id/keys",
  withKnown(async (c, admin, id, { roles }) => {
    const form = await readForm(c);
    const days = textOf(form, "expires_in_days");
    const narrowed = listOf(form, "roles");
    const checked = checkForm(newKeySchema, {
      user: id,
      label: textOf(form, "label"),
      roles: narrowed.length === 0 ? undefined : narrowed,
      expires_in_days: days === "" ? undefined : Number(days),
      signature: textOf(form, "signature") || undefined,
      recovery_code: textOf(form, "recovery_code") || undefined,
    });
    const keyId = keyIdSchema.safeParse(textOf(form, "id")).data;
    const made =
      "problems" in checked ? checked : await makeKey(c, principalOf(admin), { ...checked.value, id: keyId });
    if ("ok" in made && made.ok) return showUser(c, admin, { id, roles, made: made.value });
    const problems = "problems" in made ? made.problems : problemsOf(made.refusal);
    return showUser(c, admin, { id, roles, keySent: { form, problems }, status: 409 });
  }),
);
for (const kind of ["access_keys", "signing_keys"] as const)
  userRoutes.post(
    `/admin/users/:id/${kind === "access_keys" ? "keys" : "signing-keys"}/:key/revoke`,
    withKnown(async (c, admin, id, { roles }) => {
      const revoked: Outcome<unknown> = await revokeAnyKey(
        c,
        principalOf(admin),
        kind,
        c.req.param("key") ?? "",
      );
      if (revoked.ok) return c.redirect(`${userPath(id)}?done=revoked`, 303);
      if (revoked.refusal.code === "not_found") return notFoundPage(admin, USERS);
      return showUser(c, admin, { id, roles, message: refusalWords(revoked.refusal), status: 409 });
    }),
  );
