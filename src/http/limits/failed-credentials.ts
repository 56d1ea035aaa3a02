import { createMiddleware } from "hono/factory";
import type { AppTypes } from "../../app-types.ts";
import { sessionSecret } from "../../identity/browser-session.ts";
import { callerByAddress } from "../../identity/caller-address.ts";
import { hashSecret } from "../../identity/secrets.ts";
import { bearerCredential } from "./bearer-credential.ts";
import { refuseRequest } from "../refuse-request.tsx";
import { refuse } from "../../refusal.ts";
import { type Found, LookupBudget } from "./lookup-budget.ts";

const credentials = new LookupBudget();
const sessions = new LookupBudget();

/** Bounds the look-ups of keys and tokens that nobody holds. */
export const limitFailedCredentials = createMiddleware<AppTypes>(async (c, next) => {
  const credential = bearerCredential(c);
  if (credential === undefined) return next();
  const lookup = credentials.begin(credential, callerByAddress(c), c.var.policy, Date.now());
  if (lookup.waitMs > 0) return refuseRequest(c, tooMany(lookup.waitMs));
  let found: Found = "unasked";
  try {
    await next();
    found = c.res.status === 401 ? "bad" : "good";
  } finally {
    lookup.end(found, Date.now());
  }
  return undefined;
});

/** Bounds the look-ups of browser sessions that do not exist; each is a query. */
export const limitFailedSessions = createMiddleware<AppTypes>(async (c, next) => {
  const secret = sessionSecret(c);
  if (secret === undefined) return next();
  const lookup = sessions.begin(hashSecret(secret), callerByAddress(c), c.var.policy, Date.now());
  if (lookup.waitMs > 0) return refuseRequest(c, tooMany(lookup.waitMs));
  try {
    await next();
  } finally {
    lookup.end(c.get("session") ?? "unasked", Date.now());
  }
  return undefined;
});

export const tooMany = (retryAfterMs: number) =>
  refuse("rate_limited", `Too many requests; the next one can be made in ${retryAfterMs} ms.`, {
    retryAfterMs,
  }).refusal;
