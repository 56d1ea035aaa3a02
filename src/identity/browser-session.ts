import type { AppContext } from "../app-types.ts";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { type FoundKey, endSession, findSession, startSession } from "./users.ts";

// __Host-: sent back over https alone (or to this machine), to this host alone, for every path.
const NAME = "session";
const OPTIONS = { prefix: "host", path: "/", secure: true, httpOnly: true, sameSite: "Lax" } as const;

export type SignedIn = Extract<FoundKey, { ok: true }>;

/** Who is signed in in this browser. */
export async function sessionUser(c: AppContext): Promise<SignedIn | undefined> {
  const secret = getCookie(c, NAME, "host");
  const found = secret === undefined ? undefined : await findSession(c.env.DB, secret, Date.now());
  return found?.ok === true ? found : undefined;
}

/** Signs in whom a key belongs to, and out whoever was signed in before. */
export async function signIn(c: AppContext, { user, keyId }: SignedIn): Promise<void> {
  const before = getCookie(c, NAME, "host");
  if (before !== undefined) await endSession(c.env.DB, before);
  const { secret } = await startSession(c.env.DB, user.userId, keyId, Date.now());
  setCookie(c, NAME, secret, OPTIONS);
}

/** Ends the session at the server too, so that a copied cookie is worth nothing. */
export async function signOut(c: AppContext): Promise<void> {
  const secret = getCookie(c, NAME, "host");
  if (secret !== undefined) await endSession(c.env.DB, secret);
  deleteCookie(c, NAME, OPTIONS);
}
