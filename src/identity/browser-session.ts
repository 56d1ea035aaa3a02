import type { AppContext } from "../app-types.ts";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { noteIdentity } from "./changes.ts";
import { type SignedIn, endSession, findSession, startSession } from "./sessions.ts";

// __Host-: sent back over https alone (or to this machine), to this host alone, for every path.
const NAME = "session";
const OPTIONS = { prefix: "host", path: "/", secure: true, httpOnly: true, sameSite: "Lax" } as const;

/** The secret that the browser's cookie holds, whoever made it up. */
export const sessionSecret = (c: AppContext): string | undefined => getCookie(c, NAME, "host");

/** Who is signed in in this browser. */
export async function sessionUser(c: AppContext): Promise<SignedIn | undefined> {
  const secret = sessionSecret(c);
  if (secret === undefined) return undefined;
  const found = await findSession(c.env.DB, secret, Date.now());
  c.set("session", found === undefined ? "bad" : "good");
  return found;
}

/** Signs in whom a credential belongs to, and out whoever was signed in before. */
export async function signIn(c: AppContext, signedIn: Pick<SignedIn, "user" | "credential">): Promise<void> {
  const { user, credential } = signedIn;
  const key = "keyId" in credential ? credential.keyId : null;
  const change = { change: "signed_in", by: user.userId, key } as const;
  const before = sessionSecret(c);
  if (before !== undefined) await endSession(c.env.DB, before);
  const { secret } = await startSession(c.env.DB, signedIn, Date.now());
  setCookie(c, NAME, secret, OPTIONS);
  // Behind it: whoever floods the object with a stolen key must not keep its owner from the page that revokes the key.
  await noteIdentity(c.env.USER_WINDOWS, user.userId, change, "after");
}

/** Ends the session at the server too, so that a copied cookie is worth nothing. */
export async function signOut(c: AppContext): Promise<void> {
  const secret = sessionSecret(c);
  if (secret !== undefined) await endSession(c.env.DB, secret);
  // Nobody holds it from now on, if anybody did.
  c.set("session", "bad");
  deleteCookie(c, NAME, OPTIONS);
}
