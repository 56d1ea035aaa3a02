import { type Principal, mayUse } from "../identity/principal.ts";
import { allows } from "../policy/roles.ts";
import type { Policy } from "../policy/schema.ts";
import { type Refusal, refuse } from "../refusal.ts";
import type { Target } from "./target.ts";

/** Denies by default: the caller's token needs the scope, and one of the caller's roles must allow the target. */
export function checkPermission(
  policy: Policy,
  principal: Principal,
  { access }: Pick<Target, "access">,
): Refusal | undefined {
  if (access === undefined) return undefined;
  if (!mayUse(principal, access.scope)) {
    return refuse("permission_denied", "The caller's token lacks a scope.", {
      hints: { scopes: [access.scope] },
    }).refusal;
  }
  const { listed } = access;
  if (listed !== undefined && !allows(policy, principal.roles, listed.kind, listed.name)) {
    return refuse("permission_denied", "The caller's role does not include this.").refusal;
  }
  return undefined;
}
