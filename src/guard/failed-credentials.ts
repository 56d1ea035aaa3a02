import { createMiddleware } from "hono/factory";
import type { AppTypes } from "../app-types.ts";
import { callerByAddress } from "../identity/caller-address.ts";
import { hashSecret } from "../identity/secrets.ts";
import { refuseRequest } from "../refusal-page.tsx";
import { refuse } from "../refusal.ts";
import { IsolateBudget, RecentNames } from "./isolate-budget.ts";

const good = new RecentNames();
const failures = new IsolateBudget();
/** Credentials of which the first look-up has not ended: a client may send many requests at once. */
const inFlight = new Set<string>();

/**
 * Bounds the look-ups of keys and tokens that nobody holds. An address pays once for each of them, and each pays for its own
 * repetitions, so that one client with an expired key does not use up the budget of its office. A credential that was good
 * when this isolate last saw it is never refused here.
 */
export const limitFailedCredentials = createMiddleware<AppTypes>(async (c, next) => {
  const authorization = c.req.header("authorization");
  if (authorization === undefined) return next();
  const credential = hashSecret(authorization);
  if (good.has(credential)) {
    await next();
    if (c.res.status === 401) good.delete(credential);
    return undefined;
  }
  const { failed_credentials: byAddress, repeated_credential: repeated } = c.var.policy.unauthenticated;
  const address = callerByAddress(c).id;
  const now = Date.now();
  const wait = Math.max(failures.waitMs(address, byAddress, now), failures.waitMs(credential, repeated, now));
  if (wait > 0) return refuseRequest(c, tooMany(wait));
  // Counted before the look-up, so that requests sent at once don't all see room for one more.
  const isNew = failures.isIdle(credential, repeated, now) && !inFlight.has(credential);
  if (isNew) {
    failures.charge(address, byAddress, now);
    inFlight.add(credential);
  }
  try {
    await next();
  } finally {
    if (isNew) inFlight.delete(credential);
  }
  if (c.res.status === 401) {
    failures.charge(credential, repeated, now);
    return undefined;
  }
  good.add(credential);
  if (isNew) failures.refund(address, byAddress, now);
  return undefined;
});

export const tooMany = (retryAfterMs: number) =>
  refuse("rate_limited", `Too many requests; the next one can be made in ${retryAfterMs} ms.`, {
    retryAfterMs,
  }).refusal;
