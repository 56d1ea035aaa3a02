import { checkPermission } from "../guard/permission.ts";
import type { Target } from "../guard/target.ts";
import type { Call } from "./call.ts";

/** Whether a caller may use a thing at all: what lists and hints name, by the rule that the guard goes by. */
export const mayReach = (
  { policy, principal }: Pick<Call, "policy" | "principal">,
  target: Target,
): boolean => checkPermission(policy, principal, target) === undefined;
