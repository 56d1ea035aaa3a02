import json from "../../policy.json" with { type: "json" };
import { type Policy, parsePolicy } from "./schema.ts";

/** The policy that was deployed with this Worker, or what is wrong with it. */
export const bundledPolicy = parsePolicy(json);

/** The policy in force. Throws where it is broken, which src/app.ts has refused to serve long before. */
export function policyInForce(): Policy {
  if (bundledPolicy.ok) return bundledPolicy.policy;
  throw new Error("The policy is broken.");
}
