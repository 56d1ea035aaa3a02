import { createMiddleware } from "hono/factory";
import type { AppContext, AppTypes } from "../app-types.ts";
import { answered } from "../flow/signals.ts";
import { callerByAddress } from "../identity/caller-address.ts";
import { type Refusal, refuse, retryAfterSeconds } from "../refusal.ts";
import { createGuard } from "./guard.ts";
import { recorded } from "./recorded.ts";

type Show = (c: AppContext, refusal: Refusal) => Response | Promise<Response>;

/**
 * Counts what anybody may ask who has proved nothing, and what is kept or fetched for it, by network address: in the
 * window of discovery that the policy gives the role anonymous. Closed where that window can't be reached.
 */
export const limitByAddress = (name: string, show: Show) =>
  createMiddleware<AppTypes>(async (c, next) => {
    const context = addressContext(c);
    const guard = recorded(createGuard(context), context);
    const target = {
      kind: "request",
      name,
      bucket: "discovery",
      access: undefined,
      labels: undefined,
    } as const;
    const { correlationId } = c.var;
    const admission = await guard.admit({ correlationId, target, args: {}, refused: {} });
    if (!admission.ok) return showWait(await show(c, admission.refusal), admission.refusal);
    const began = performance.now();
    // The guard lets discovery go on unguarded, as it keeps nothing; this does.
    const isCounted = admission.degraded !== true;
    if (isCounted) await next();
    await admission.value.settle({
      ...answered(undefined, { records: 0 }).signals,
      outcome: isCounted ? "ok" : "unavailable",
      bytes: 0,
      durationMs: performance.now() - began,
      answer: undefined,
    });
    return isCounted ? undefined : show(c, UNAVAILABLE);
  });

/** A page says it no less than JSON does. */
function showWait(response: Response, { retryAfterMs }: Refusal): Response {
  if (retryAfterMs !== undefined) response.headers.set("Retry-After", retryAfterSeconds(retryAfterMs));
  return response;
}

/** What a guard closes over that counts by network address. */
function addressContext(c: AppContext) {
  const { policy, secretKey, origin } = c.var;
  return {
    policy,
    principal: callerByAddress(c),
    db: c.env.DB,
    windows: c.env.USER_WINDOWS,
    origin,
    secretKey,
    protocol: "unsaid",
    client: "",
  };
}

const UNAVAILABLE = refuse("unavailable", "This can't be served right now.").refusal;
