import type { AppContext } from "../app-types.ts";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { noteIdentity } from "./changes.ts";
import { type SignedIn, endSession, findSession, startSession } from "./sessions.ts";

// The __Host- prefix makes browsers send the cookie only over https (or to this machine) and only to this host.
const NAME = "session";
const OPTIONS = { prefix: "host", path: "/", secure: true, httpOnly: true, sameSite: "Lax" } as const;

/** Returns the secret in the browser's cookie, valid or not. */
export const sessionSecret = (c: AppContext): string | undefined => getCookie(c, NAME, "host");

/** Returns who is signed in in this browser. */
export async function sessionUser(c: AppContext): Promise<SignedIn | undefined> {
  const secret = sessionSecret(c);
  if (secret === undefined) return undefined;
  const found = await findSession(c.env.DB, secret, Date.now());
  c.set("session", found === undefined ? "bad" : "good");
  return found;
}

/** Signs in the owner of a credential, and signs out whoever was signed in before. */
export async function signIn(c: AppContext, signedIn: Pick<SignedIn, "user" | "credential">): Promise<void> {
  const { user, credential } = signedIn;
  const key = "keyId" in credential ? credential.keyId : null;
  const change = { change: "signed_in", by: user.userId, key } as const;
  const before = sessionSecret(c);
  if (before !== undefined) await endSession(c.env.DB, before);
  const { secret } = await startSession(c.env.DB, signedIn, Date.now());
  setCookie(c, NAME, secret, OPTIONS);
  // Recorded afterwards: a thief who floods the owner's object with a stolen key must not keep the owner from the page
  // that revokes it.
  await noteIdentity(c.env.USER_WINDOWS, user.userId, change, "after");
}

/** Ends the session on the server too, so that a copied cookie is worthless. */
export async function signOut(c: AppContext): Promise<void> {
  const secret = sessionSecret(c);
  if (secret !== undefined) await endSession(c.env.DB, secret);
  // Nobody holds it from now on, if anybody did.
  c.set("session", "bad");
  deleteCookie(c, NAME, OPTIONS);
}
