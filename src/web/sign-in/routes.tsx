import { Hono } from "hono/tiny";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { signOnSettings } from "../../env.ts";
import { findKey } from "../../identity/access-keys.ts";
import { signIn, signOut } from "../../identity/browser-session.ts";
import { isClaimed } from "../../identity/first-admin.ts";
import { nextPath } from "../layout/next-path.ts";
import { noteUse } from "../../identity/oauth.ts";
import { guardPages, readForm, textOf } from "../layout/form-guards.ts";
import { isWholeKey } from "../../identity/secrets.ts";
import { signInPage } from "./sign-in-page.tsx";

/** Sign-in by access key, and sign-out. */
export const signInPages = new Hono<AppTypes>();

/** Where a sign-in continues if it was not started for another page. */
const HOME = "/account";

guardPages(signInPages, ["/sign-in", "/sign-out"]);

/** Facts about the server that the page shows. */
const serverOf = async ({ env, var: { settings, local } }: AppContext) => ({
  signOn: signOnSettings(settings),
  isLocal: local,
  isNew: !(await isClaimed(env.DB)),
});

signInPages.get("/sign-in", async (c) =>
  signInPage({ next: nextPath(c.req.query("next"), HOME), ...(await serverOf(c)) }),
);

signInPages.post("/sign-in", async (c) => {
  const form = await readForm(c);
  const key = textOf(form, "key").trim();
  const next = nextPath(form.get("next"), HOME);
  const now = Date.now();
  const found = isWholeKey(key) ? await findKey(c.env.DB, key, now) : undefined;
  const refuse = async (problem: string) => signInPage({ next, ...(await serverOf(c)), problem });
  // One answer for every invalid key, so that the page does not reveal which keys existed.
  if (found?.ok !== true) return refuse("This access key is not valid.");
  // A thief could not sign requests, and would no longer need to with a browser session.
  if (found.signature === "required") return refuse("This access key is for signed requests only.");
  noteUse(c.env, found, now);
  await signIn(c, { user: found.user, credential: { keyId: found.keyId } });
  return c.redirect(next, 303);
});

signInPages.post("/sign-out", async (c) => {
  await signOut(c);
  return c.redirect("/sign-in", 303);
});
