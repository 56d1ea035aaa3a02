import * as z from "zod";
import policy from "../../policy.json" with { type: "json" };
import { type Rule, rulesSchema } from "../../src/flow/rules.ts";

/** The rules that the server ships with. */
export const defaultRules: readonly Rule[] = z.object({ rules: rulesSchema }).parse(policy).rules;
