import { Hono } from "hono/tiny";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { signOnSettings } from "../../env.ts";
import { listOwnKeys, revokeOwnKey } from "../../identity/access-keys.ts";
import { accountPage } from "./account-page.tsx";
import { sessionUser } from "../../identity/browser-session.ts";
import { forgetIdentity, noteRemoval } from "../../identity/changes.ts";
import { endConnection, listConnections } from "../../identity/grants.ts";
import { signInPath } from "../layout/next-path.ts";
import { authorizationServer, grantsOf } from "../../identity/oauth.ts";
import { guardPages, readForm, textOf } from "../layout/form-guards.ts";
import { problemPage } from "../layout/page.tsx";
import type { SignedIn } from "../../identity/sessions.ts";

/** The account page, where signed-in users see and revoke their own keys and clients. */
export const accountPages = new Hono<AppTypes>();

const PATH = "/account";

guardPages(accountPages, ["/account/*"]);

accountPages.get(PATH, async (c) => {
  const signedIn = await sessionUser(c);
  if (signedIn === undefined) return c.redirect(signInPath(PATH), 303);
  const { userId } = signedIn.user;
  const now = Date.now();
  const own = signedIn.narrowed
    ? undefined
    : {
        connections: await listConnections(authorizationServer(c.var).getOAuthApi(c.env), userId),
        keys: await listOwnKeys(c.env.DB, userId, now),
      };
  return accountPage({ signedIn, signOn: signOnSettings(c.var.settings), own });
});

accountPages.post("/account/clients/revoke", (c) =>
  change(c, (id, { user }) =>
    // A colon would reach into another part of the store's names.
    /^[\w-]{1,64}$/.test(id) ? endConnection(grantsOf(c), user.userId, id) : undefined,
  ),
);

accountPages.post("/account/keys/revoke", (c) =>
  change(c, async (id, { user: { userId, roles } }) => {
    const result = await revokeOwnKey(c.env.DB, { id, userId, roles }, Date.now());
    if (result === "last") return lastAdmin();
    if (result === "revoked")
      await noteRemoval(c.env.USER_WINDOWS, userId, { change: "key_revoked", by: userId, key: id });
    // An earlier attempt may have revoked it without reaching the user's object.
    else await forgetIdentity(c.env.USER_WINDOWS, userId);
    return undefined;
  }),
);

const lastAdmin = () =>
  problemPage(
    "You are the only admin, so nobody could undo this.",
    <p>Create another key first. Nothing was revoked.</p>,
    409,
  );

/** Revokes what the form names, for the signed-in user; `end` may return a page that says why not. */
async function change(
  c: AppContext,
  end: (id: string, signedIn: SignedIn) => Promise<Response | void> | undefined,
): Promise<Response> {
  const signedIn = await sessionUser(c);
  if (signedIn === undefined) return c.redirect(signInPath(PATH), 303);
  // A sign-in has no more rights than its key: a key with fewer roles must not revoke one with more.
  if (signedIn.narrowed) {
    return problemPage(
      "You signed in with a key that has only some of your roles.",
      <p>Nothing was revoked.</p>,
      403,
    );
  }
  return (await end(textOf(await readForm(c), "id"), signedIn)) ?? c.redirect(PATH, 303);
}
