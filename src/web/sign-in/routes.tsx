import { Hono } from "hono";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { signOnSettings } from "../../env.ts";
import { findKey } from "../../identity/access-keys.ts";
import { signIn, signOut } from "../../identity/browser-session.ts";
import { nextPath } from "../layout/next-path.ts";
import { noteUse } from "../../identity/oauth.ts";
import { guardPages, readForm, textOf } from "../layout/form-guards.ts";
import { STYLE_PATH, serveStyle } from "../layout/page.tsx";
import { isWholeKey } from "../../identity/secrets.ts";
import { signInPage } from "./sign-in-page.tsx";

/** Sign-in by access key, and sign-out. */
export const signInPages = new Hono<AppTypes>();

/** Where a sign-in goes on that was begun for nothing else. */
const HOME = "/account";

signInPages.get(STYLE_PATH, serveStyle);
guardPages(signInPages, ["/sign-in", "/sign-out"]);

/** What the page is told of the server. */
const serverOf = ({ var: { settings, local } }: AppContext) => ({
  signOn: signOnSettings(settings),
  isLocal: local,
});

signInPages.get("/sign-in", (c) => signInPage({ next: nextPath(c.req.query("next"), HOME), ...serverOf(c) }));

signInPages.post("/sign-in", async (c) => {
  const form = await readForm(c);
  const key = textOf(form, "key").trim();
  const next = nextPath(form.get("next"), HOME);
  const now = Date.now();
  const found = isWholeKey(key) ? await findKey(c.env.DB, key, now) : undefined;
  const refuse = (problem: string) => signInPage({ next, ...serverOf(c), problem });
  // One answer for every bad key: a page tells nobody which keys there were.
  if (found?.ok !== true) return refuse("This access key is not valid.");
  // Who stole it could not sign, and would need to no more once a browser session stands for it.
  if (found.signature === "required") return refuse("This access key is for signed requests alone.");
  noteUse(c.env, found, now);
  await signIn(c, { user: found.user, credential: { keyId: found.keyId } });
  return c.redirect(next, 303);
});

signInPages.post("/sign-out", async (c) => {
  await signOut(c);
  return c.redirect("/sign-in", 303);
});
