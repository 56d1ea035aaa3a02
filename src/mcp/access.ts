import { checkPermission } from "../guard/permission.ts";
import type { Target } from "../guard/target.ts";
import type { Principal } from "../identity/principal.ts";
import type { Policy } from "../policy/schema.ts";

/**
 * Returns whether a caller may use a thing at all. Lists and hints name only what passes this, the guard's own rule.
 */
export const mayReach = (
  { policy, principal }: { policy: Policy; principal: Principal },
  target: Target,
): boolean => checkPermission(policy, principal, target) === undefined;
