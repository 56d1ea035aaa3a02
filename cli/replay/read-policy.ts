import { readFile } from "node:fs/promises";
import * as z from "zod";
import policy from "../../policy.json" with { type: "json" };
import { type Rule, rulesSchema } from "../../src/flow/rules.ts";
import { BadInput } from "./recording.ts";

const policySchema = z.object({ rules: rulesSchema });

/** The rules that the server ships with. */
export const defaultRules: readonly Rule[] = policySchema.parse(policy).rules;

/** The rules of a policy file. Throws BadInput with what is wrong and where. */
export async function readPolicy(file: string): Promise<readonly Rule[]> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new BadInput(`${file} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const parsed = policySchema.safeParse(json(file, text));
  if (!parsed.success) throw new BadInput(`${file} is no policy:\n${z.prettifyError(parsed.error)}`);
  return parsed.data.rules;
}

function json(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadInput(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
