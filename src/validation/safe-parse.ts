import type * as z from "zod";

type Parsed<Schema extends z.ZodType> =
  | { success: true; data: z.output<Schema> }
  | { success: false; issues: readonly z.core.$ZodIssue[] };

/**
 * Does what zod's safeParse() does. That throws a TypeError where a text or a list is expected and an object comes whose `length`
 * is an object that can't become a number: its checks of length compare it.
 */
export function safeParse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  options: z.core.ParseContext<z.core.$ZodIssue>,
): Parsed<Schema> {
  try {
    const parsed = schema.safeParse(value, options);
    return parsed.success ? parsed : { success: false, issues: parsed.error.issues };
  } catch (error) {
    if (!(error instanceof TypeError && error.message.includes("primitive value"))) throw error;
    const message = "An object stands where a text or a list belongs";
    return { success: false, issues: [{ code: "custom", path: [], message, input: undefined }] };
  }
}
