import * as z from "zod";
import { type Rule, rulesSchema } from "../../src/detection/rules.ts";
import { type Policy, parsePolicy } from "../../src/policy/schema.ts";
import { problemLine } from "../policy/problem-line.ts";
import { parseJsonAs, readText } from "../read-file.ts";
import { ROOT } from "../wrangler.ts";

/** The policy that ships with the server. */
export const SHIPPED_POLICY = `${ROOT}policy.json`;

const withRules = z.looseObject({ rules: z.unknown() });
const rulesAlone = z.strictObject({ $schema: z.string().optional(), rules: rulesSchema });

/** The policy options of a replay. */
export interface ReplayPolicy {
  rules: readonly Rule[];
  /**
   * The policy whose roles, limits and weights the rate windows use. For a file with rules alone it is the
   * server's own.
   */
  windows: Policy;
}

/**
 * Reads a policy file, or a file with rules alone. Throws with each problem and its position, like
 * `policy check`.
 */
export async function readReplayPolicy(file: string): Promise<ReplayPolicy> {
  const text = await readText(file);
  const json = parseJsonAs(withRules, text, file, "a policy");
  if (Object.keys(json).every((key) => Object.hasOwn(rulesAlone.shape, key))) {
    const { rules } = parseJsonAs(rulesAlone, text, file, "a policy");
    const { windows } = await readReplayPolicy(SHIPPED_POLICY);
    return { rules, windows };
  }
  const parsed = parsePolicy(json);
  // Loaded here because it reads policy.json.
  const { problemsOf } = await import("../policy/check.ts");
  const problems = problemsOf(parsed);
  if (parsed.ok && problems.length === 0) return { rules: parsed.policy.rules, windows: parsed.policy };
  throw new Error(problems.map((problem) => problemLine(file, problem, json)).join("\n"));
}

/** Reads only the rules of such a file. */
export const readRules = async (file: string): Promise<readonly Rule[]> =>
  (await readReplayPolicy(file)).rules;
