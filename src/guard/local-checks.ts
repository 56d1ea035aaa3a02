import type { Refusal } from "../refusal.ts";
import type { GuardContext, GuardedCall } from "./guarded-call.ts";
import { checkPermission } from "./permission.ts";

/** Refusals by the checks that the Worker makes without the caller's object. */
export type LocalRefusals = { [Stage in "signature" | "permission" | "arguments"]?: Refusal | undefined };

/** A call and the refusals that the Worker has found for it. */
export interface CheckedCall {
  call: GuardedCall;
  local: LocalRefusals;
}

export const checkLocally = (
  { policy, principal }: Pick<GuardContext, "policy" | "principal">,
  call: GuardedCall,
): CheckedCall => ({
  call,
  local: { ...call.refused, permission: checkPermission(policy, principal, call.target) },
});

/** The first refusal, in the guard's order; undefined if all checks let the call pass. */
export const firstLocalRefusal = ({
  signature,
  permission,
  arguments: badArguments,
}: LocalRefusals): Refusal | undefined => signature ?? permission ?? badArguments;
