import * as z from "zod";

/** A column of text that holds JSON, as what it holds; unchecked, so pipe it into the schema of that. */
export const jsonText = z.string().transform((json, context): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    context.addIssue({ code: "custom", message: "is no JSON" });
    return z.NEVER;
  }
});
