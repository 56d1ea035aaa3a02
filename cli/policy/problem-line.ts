import * as z from "zod";
import type { PolicyProblem } from "../../src/policy/schema.ts";
import { plainLine } from "../../src/text/plain-text.ts";

const rulesSchema = z.object({ rules: z.array(z.looseObject({ id: z.string() }).nullable().catch(null)) });

/**
 * Formats a policy problem as one line. A rule is named by its id beside its position: `policy.json: rules.3
 * (people).mode: …`.
 */
export function problemLine(file: string, { path, reason }: PolicyProblem, json: unknown): string {
  const { data } = rulesSchema.safeParse(json);
  const named = path.replace(/^rules\.(\d+)(?=\.|$)/, (place, index: string) => {
    const id = data?.rules[Number(index)]?.id;
    return id === undefined ? place : `${place} (${plainLine(id)})`;
  });
  return `${file}: ${named}: ${reason}`;
}
