import { checkPermission } from "../guard/permission.ts";
import type { Target } from "../guard/target.ts";
import type { Principal } from "../identity/principal.ts";
import type { Policy } from "../policy/schema.ts";

/** Whether a caller may use a thing at all: what lists and hints name, by the rule that the guard goes by. */
export const mayReach = (
  { policy, principal }: { policy: Policy; principal: Principal },
  target: Target,
): boolean => checkPermission(policy, principal, target) === undefined;
