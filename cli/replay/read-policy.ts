import * as z from "zod";
import policy from "../../policy.json" with { type: "json" };
import { type Rule, rulesSchema } from "../../src/flow/rules.ts";
import { parseJsonAs, readText } from "../read-file.ts";

const policySchema = z.object({ rules: rulesSchema });

/** The rules that the server ships with. */
export const defaultRules: readonly Rule[] = policySchema.parse(policy).rules;

/** The rules of a policy file. Throws with what is wrong and where. */
export async function readPolicy(file: string): Promise<readonly Rule[]> {
  return parseJsonAs(policySchema, await readText(file), file, "a policy").rules;
}
