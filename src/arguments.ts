import * as z from "zod";
import { type Outcome, ok, refuse } from "./refusal.ts";

const ISSUES_SHOWN = 5;
const MESSAGE_MAX = 500;

/**
 * Checks what a caller sent against a schema. The refusal names our own fields and what is wrong with
 * them; of the caller's text, names of arguments included, nothing is repeated.
 */
export function parseArguments<Schema extends z.ZodType>(
  schema: Schema,
  args: unknown,
): Outcome<z.output<Schema>> {
  const parsed = schema.safeParse(args ?? {});
  if (parsed.success) return ok(parsed.data);
  const issues = parsed.error.issues.slice(0, ISSUES_SHOWN).map(({ path, message, code }) => {
    if (code === "unrecognized_keys") return "There is an argument that does not exist";
    const where = path.map(String).join(".");
    return where === "" ? message : `${where}: ${message}`;
  });
  return refuse("invalid_arguments", `${issues.join(". ").slice(0, MESSAGE_MAX)}.`);
}
