import { createMiddleware } from "hono/factory";
import type { AppContext, AppTypes } from "../../app-types.ts";
import { callerByAddress } from "../../identity/caller-address.ts";
import type { Refusal } from "../../refusal.ts";
import type { Endpoint } from "../../policy/schema.ts";
import { guardOfAddress } from "./address-guard.ts";
import { tooMany } from "./failed-credentials.ts";
import { EMPTY_RESULT } from "../../guard/guarded-call.ts";
import { IsolateBudget, limitOfNetwork } from "../../guard/isolate-budget.ts";
import { UNAVAILABLE } from "../../guard/refusals.ts";

const networks = new IsolateBudget();

type Show = (c: AppContext, refusal: Refusal) => Response | Promise<Response>;

/**
 * Limits unauthenticated requests that store or fetch something, by network address and endpoint. The policy's
 * `unauthenticated` sets the limits. Fails closed if the count is out of reach.
 */
export const limitByAddress = (endpoint: Endpoint, show: Show) =>
  createMiddleware<AppTypes>(async (c, next) => {
    const refusal = await withinAddressLimit(c, endpoint, next);
    return refusal && show(c, refusal);
  });

/** Does the work of one such request, or returns why it may not be done. */
export async function withinAddressLimit(
  c: AppContext,
  endpoint: Endpoint,
  work: () => Promise<void>,
): Promise<Refusal | undefined> {
  const target = {
    kind: "request",
    name: endpoint,
    bucket: "discovery",
    access: undefined,
    labels: undefined,
  } as const;
  const { correlationId, policy } = c.var;
  // Each address makes an object: counted here before one comes to be.
  const { network = "" } = callerByAddress(c);
  const limit = limitOfNetwork(policy.unauthenticated[endpoint]);
  const wait = networks.take(`${endpoint} ${network}`, limit, Date.now());
  if (wait > 0) return tooMany(wait);
  const guard = await guardOfAddress(c, endpoint);
  const admission = await guard.admit({
    correlationId,
    target,
    args: {},
    refused: {},
  });
  if (!admission.ok) return admission.refusal;
  const began = performance.now();
  // The guard lets discovery run unguarded, because it stores nothing. These requests do store something.
  const isCounted = admission.degraded !== true;
  if (isCounted) await work();
  await admission.value.settle({
    ...EMPTY_RESULT,
    outcome: isCounted ? "ok" : "unavailable",
    durationMs: performance.now() - began,
  });
  return isCounted ? undefined : UNAVAILABLE;
}
