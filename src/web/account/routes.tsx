import { Hono } from "hono";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { signOnSettings } from "../../env.ts";
import { listOwnKeys, revokeOwnKey } from "../../identity/access-keys.ts";
import { accountPage } from "./account-page.tsx";
import { sessionUser } from "../../identity/browser-session.ts";
import { noteIdentity } from "../../identity/changes.ts";
import { endConnection, listConnections } from "../../identity/grants.ts";
import { signInPath } from "../layout/next-path.ts";
import { authorizationServer, grantsOf } from "../../identity/oauth.ts";
import { guardPages, readForm, textOf } from "../layout/form-guards.ts";
import { problemPage } from "../layout/page.tsx";
import type { SignedIn } from "../../identity/sessions.ts";

/** What somebody who is signed in can see and end of their own. */
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
        connections: await listConnections(authorizationServer(c.var.origin).getOAuthApi(c.env), userId),
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
    const became = await revokeOwnKey(c.env.DB, { id, userId, roles }, Date.now());
    if (became === "last") return lastAdmin();
    if (became === "revoked")
      await noteIdentity(c.env.USER_WINDOWS, userId, { change: "key_revoked", by: userId, key: id }, "after");
    return undefined;
  }),
);

const lastAdmin = () =>
  problemPage(
    "Nobody else is an admin: nobody could undo this.",
    <p>Have another key made first. Nothing was revoked.</p>,
    409,
  );

/** Ends what the form names, of the user who is signed in; `end` may have a page that says why not. */
async function change(
  c: AppContext,
  end: (id: string, signedIn: SignedIn) => Promise<Response | void> | undefined,
): Promise<Response> {
  const signedIn = await sessionUser(c);
  if (signedIn === undefined) return c.redirect(signInPath(PATH), 303);
  // What a key opened reaches no further than the key: one of fewer roles doesn't end what has more.
  if (signedIn.narrowed) {
    return problemPage(
      "You signed in with a key that has only some of your roles.",
      <p>Nothing was revoked.</p>,
      403,
    );
  }
  return (await end(textOf(await readForm(c), "id"), signedIn)) ?? c.redirect(PATH, 303);
}
