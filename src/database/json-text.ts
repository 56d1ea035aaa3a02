import * as z from "zod";

/** Parses a text column that holds JSON. The result is unchecked, so pipe it into a schema. */
export const jsonText = z.string().transform((json, context): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
});
