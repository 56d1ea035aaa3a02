import json from "../../policy.json" with { type: "json" };
import { type Policy, parsePolicy } from "./schema.ts";

/** The policy that was deployed with this Worker, or its problems. */
export const bundledPolicy = parsePolicy(json);

/** Returns the policy in force. Throws if it is broken, but src/app.ts serves no request then. */
export function policyInForce(): Policy {
  if (bundledPolicy.ok) return bundledPolicy.policy;
  throw new Error("The policy is broken.");
}
