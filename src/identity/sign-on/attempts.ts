import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import * as z from "zod";
import type { AppContext } from "../../app-types.ts";
import { hashSecret, newSessionToken } from "../secrets.ts";
import type { Expected } from "./provider.ts";

// A sign-on in progress is bound by a cookie to the browser that began it, and can be used once. Each has its own
// cookie, so two tabs can sign on at the same time.

/** Seconds that a person has at the provider. */
const TTL_S = 10 * 60;
const OPTIONS = { prefix: "host", path: "/", secure: true, httpOnly: true, sameSite: "Lax" } as const;
const cookieName = (state: string) => `sign-on-${state.slice(0, 8)}`;

export interface Attempt extends Expected {
  /** The path of this server to continue at afterwards. */
  next: string;
  /** Whether the person has already allowed a client, whose request waits under `state`. */
  consented: boolean;
}

export async function beginAttempt(c: AppContext, attempt: Attempt, now: number): Promise<void> {
  const { state, nonce, verifier, next, consented } = attempt;
  const { secret, hash } = newSessionToken();
  await c.env.DB.batch([
    c.env.DB.prepare("DELETE FROM sign_on_attempts WHERE expires_at <= ?").bind(now),
    c.env.DB.prepare(
      `INSERT INTO sign_on_attempts (hash, state, nonce, verifier, next, consented, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ).bind(hash, state, nonce, verifier, next, consented ? 1 : 0, now + TTL_S * 1000),
  ]);
  setCookie(c, cookieName(state), secret, { ...OPTIONS, maxAge: TTL_S });
}

const attemptRow = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  next: z.string(),
  consented: z.int().transform((flag) => flag === 1),
});

/**
 * Returns the attempt that this browser began under a state, once. openid-client itself checks that the state matches.
 */
export async function takeAttempt(c: AppContext, state: string, now: number): Promise<Attempt | undefined> {
  const name = cookieName(state);
  const secret = /^[\w-]+$/.test(name) ? getCookie(c, name, "host") : undefined;
  if (secret === undefined) return undefined;
  deleteCookie(c, name, OPTIONS);
  const row = await c.env.DB.prepare(
    `DELETE FROM sign_on_attempts WHERE hash = ?1 AND expires_at > ?2
       RETURNING state, nonce, verifier, next, consented`,
  )
    .bind(hashSecret(secret), now)
    .first();
  return row === null ? undefined : attemptRow.parse(row);
}
