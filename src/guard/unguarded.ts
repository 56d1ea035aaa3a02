import { Overloaded } from "../caller/caller-client.ts";
import { describeArguments } from "../detection/describe.ts";
import { ok } from "../refusal.ts";
import { logEvent, logSurprise } from "../telemetry/log.ts";
import type { Unreachable } from "../unreachable.ts";
import { mayGoOn } from "./fail-open.ts";
import type { Admission, GuardContext, GuardedCall } from "./guarded-call.ts";
import { type LocalRefusals, firstLocalRefusal } from "./local-checks.ts";
import { UNAVAILABLE } from "./refusals.ts";

/**
 * Decides a call while the caller's object can't be reached. The reads that the policy names may run, within the limits of
 * this isolate; all other calls are refused. No call runs if the caller keeps its own object busy: otherwise a caller could
 * switch off its own guard.
 */
export function decideUnguarded(
  context: GuardContext,
  call: GuardedCall,
  local: LocalRefusals,
  error: Unreachable,
): Admission {
  const { policy, principal } = context;
  const { correlationId, target } = call;
  logSurprise(error.cause, { correlation_id: correlationId, what: "admission" });
  const degraded = true;
  const refusal = firstLocalRefusal(local);
  if (refusal !== undefined) return { ok: false, refusal, degraded };
  const isOverloaded = error instanceof Overloaded;
  const products = productsAsked(context, call);
  const isServed = !isOverloaded && mayGoOn(policy, principal.id, { ...target, products }, Date.now());
  logEvent("guard_degraded", {
    correlation_id: correlationId,
    target: target.name,
    served: isServed,
    products: isServed ? products : 0,
    overloaded: isOverloaded || undefined,
  });
  return isServed
    ? { ...ok({ settle: async () => ok(undefined) }), degraded }
    : { ok: false, refusal: UNAVAILABLE, degraded };
}

/** Returns the most products that an answer can hold: those that the arguments name, plus the page that they ask for. */
function productsAsked({ secretKey }: GuardContext, { target: { labels }, args }: GuardedCall): number {
  if (labels === undefined) return 0;
  const { objects, unnamed } = describeArguments(labels, args, secretKey);
  return objects.length + unnamed.objects;
}
