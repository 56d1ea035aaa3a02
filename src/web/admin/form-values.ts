import type * as z from "zod";
import type { Refusal } from "../../refusal.ts";
import { sayMissing } from "../../validation/missing-message.ts";
import { refusalWords } from "./refusal-words.ts";

/** A form as it was sent, and its problems by field, so that the page can show it again with nothing lost. */
export interface Sent {
  form: FormData;
  problems: ReadonlyMap<string, string>;
}

export const NOT_SENT: Sent = { form: new FormData(), problems: new Map() };

/** The texts of a field that may be there several times. */
export const listOf = (form: FormData, name: string): string[] =>
  form.getAll(name).flatMap((value) => (typeof value === "string" ? [value] : []));

/** Checks a form's values. Returns the problem of each field if there are any. */
export function checkForm<Schema extends z.ZodType>(
  schema: Schema,
  values: unknown,
): { value: z.output<Schema> } | { problems: Map<string, string> } {
  const parsed = schema.safeParse(values, { error: sayMissing });
  if (parsed.success) return { value: parsed.data };
  const problems = new Map<string, string>();
  for (const { path, message, code } of parsed.error.issues) {
    const field = String(path[0] ?? "");
    if (!problems.has(field)) problems.set(field, code === "too_small" ? "is missing" : message);
  }
  return { problems };
}

/** The field that a refusal is about, and what is wrong with it; the field is empty if it is about none. */
export function problemsOf(refusal: Refusal): Map<string, string> {
  const [, field = "", problem = ""] =
    (refusal.code === "invalid_arguments" ? /^(\w+): (.+)$/s.exec(refusal.message) : null) ?? [];
  return field === ""
    ? new Map([["", refusalWords(refusal)]])
    : new Map([[field, problem.replace(/\.$/, "")]]);
}
