import * as z from "zod";
import { type Rule, rulesSchema } from "../../src/flow/rules.ts";
import { parsePolicy } from "../../src/policy/schema.ts";
import { problemLine } from "../policy/problem-line.ts";
import { parseJsonAs, readText } from "../read-file.ts";
import { ROOT } from "../wrangler.ts";

/** The policy that the server ships with. */
export const SHIPPED_POLICY = `${ROOT}policy.json`;

const withRules = z.looseObject({ rules: z.unknown() });
const rulesAlone = z.strictObject({ $schema: z.string().optional(), rules: rulesSchema });

/** The rules of a policy file, or of one that has rules alone. Throws with what is wrong and where, as policy:check says it. */
export async function readRules(file: string): Promise<readonly Rule[]> {
  const text = await readText(file);
  const json = parseJsonAs(withRules, text, file, "a policy");
  if (Object.keys(json).every((key) => Object.hasOwn(rulesAlone.shape, key)))
    return parseJsonAs(rulesAlone, text, file, "a policy").rules;
  const parsed = parsePolicy(json);
  // It reads policy.json while it loads.
  const { problemsOf } = await import("../policy/check.ts");
  const problems = problemsOf(parsed);
  if (parsed.ok && problems.length === 0) return parsed.policy.rules;
  throw new Error(problems.map((problem) => problemLine(file, problem, json)).join("\n"));
}
