import type { AppContext } from "../app-types.ts";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { noteIdentity } from "./changes.ts";
import { type SignedIn, endSession, findSession, startSession } from "./sessions.ts";

// __Host-: sent back over https alone (or to this machine), to this host alone, for every path.
const NAME = "session";
const OPTIONS = { prefix: "host", path: "/", secure: true, httpOnly: true, sameSite: "Lax" } as const;

/** Who is signed in in this browser. */
export async function sessionUser(c: AppContext): Promise<SignedIn | undefined> {
  const secret = getCookie(c, NAME, "host");
  return secret === undefined ? undefined : findSession(c.env.DB, secret, Date.now());
}

/** Signs in whom a credential belongs to, and out whoever was signed in before. */
export async function signIn(c: AppContext, signedIn: Pick<SignedIn, "user" | "credential">): Promise<void> {
  const { user, credential } = signedIn;
  const key = "keyId" in credential ? credential.keyId : null;
  const change = { change: "signed_in", by: user.userId, key } as const;
  const before = getCookie(c, NAME, "host");
  if (before !== undefined) await endSession(c.env.DB, before);
  const { secret } = await startSession(c.env.DB, signedIn, Date.now());
  setCookie(c, NAME, secret, OPTIONS);
  // Behind it: whoever floods the object with a stolen key must not keep its owner from the page that revokes the key.
  await noteIdentity(c.env.USER_WINDOWS, user.userId, change, "after");
}

/** Ends the session at the server too, so that a copied cookie is worth nothing. */
export async function signOut(c: AppContext): Promise<void> {
  const secret = getCookie(c, NAME, "host");
  if (secret !== undefined) await endSession(c.env.DB, secret);
  deleteCookie(c, NAME, OPTIONS);
}
