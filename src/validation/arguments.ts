import * as z from "zod";
import { sayMissing } from "./missing-message.ts";
import { safeParse } from "./safe-parse.ts";
import { type Outcome, ok, refuse } from "../refusal.ts";

const ISSUES_SHOWN = 5;
const MESSAGE_MAX = 500;

/**
 * Checks a caller's arguments against a schema. The refusal names our own fields and their problems. It repeats nothing
 * of the caller's text, not even names of arguments. `taken` names valid arguments that were taken from `args` before.
 */
export function parseArguments<Schema extends z.ZodType>(
  schema: Schema,
  args: unknown,
  taken: readonly string[] = [],
): Outcome<z.output<Schema>> {
  const parsed = safeParse(schema, args ?? {}, { error: sayMissing });
  if (parsed.success) return ok(parsed.data);
  const issues = parsed.issues.slice(0, ISSUES_SHOWN).map(({ path, message, code }) => {
    const where = path.map(String).join(".");
    const problem =
      code === "unrecognized_keys"
        ? unknownArgument(schemaAt(schema, path), path.length === 0 ? taken : [])
        : message;
    return where === "" ? problem : `${where}: ${problem}`;
  });
  return refuse("invalid_arguments", `${issues.join(". ").slice(0, MESSAGE_MAX)}.`);
}

const UNKNOWN = "There is an unknown argument";

function unknownArgument(schema: unknown, taken: readonly string[]): string {
  const names = [...(schema instanceof z.ZodObject ? Object.keys(schema.shape) : []), ...taken];
  return names.length === 0 ? UNKNOWN : `${UNKNOWN}. Valid arguments: ${names.join(", ")}`;
}

/** Returns the part of a schema that checks the value at a path; undefined if it is no plain object or list. */
const schemaAt = (schema: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => {
    const inner = at instanceof z.ZodOptional ? at.unwrap() : at;
    if (inner instanceof z.ZodArray) return inner.element;
    return inner instanceof z.ZodObject ? inner.shape[String(key)] : undefined;
  }, schema);
