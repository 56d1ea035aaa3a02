import { isPublicRead } from "../detection/labels.ts";
import type { GuardContext } from "./guarded-call.ts";
import { RecentNames } from "./isolate-budget.ts";
import { type CheckedCall, firstLocalRefusal } from "./local-checks.ts";

// A public read may run beside its admission: near the user, both wait for a network. Its answer is withheld until the call
// is admitted. A caller has one read ahead of its admissions at most, and none while its latest call was refused, so a
// caller who is refused makes the database work no more than before.

/** Callers whose latest call was admitted. */
const trusted = new RecentNames();
/** Callers who have a read ahead. */
const ahead = new Set<string>();

/**
 * Takes the caller's one read ahead, which `noteDecision` gives back. Returns whether the call may run before it is admitted.
 * A batch never does, because its calls run in order.
 */
export function takeReadAhead(
  { principal, isBatch }: Pick<GuardContext, "principal" | "isBatch">,
  { call: { target, runAhead }, local }: CheckedCall,
): boolean {
  const { labels, runsAhead } = target;
  if (runsAhead !== true || labels === undefined || !isPublicRead(labels)) return false;
  if (runAhead === undefined || isBatch === true || firstLocalRefusal(local) !== undefined) return false;
  if (!trusted.has(principal.id) || ahead.has(principal.id)) return false;
  ahead.add(principal.id);
  return true;
}

/** Notes the decision about a caller's latest call. `wasAhead`: the call had taken the caller's read ahead. */
export function noteDecision(principal: string, isAdmitted: boolean, wasAhead: boolean): void {
  if (wasAhead) ahead.delete(principal);
  if (isAdmitted) trusted.add(principal);
  else trusted.delete(principal);
}
