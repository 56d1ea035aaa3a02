import type * as z from "zod";

/** An error map for parses: says "is missing" about an absent value, and keeps the schema's own words otherwise. */
export function sayMissing(issue: z.core.$ZodRawIssue): string | undefined {
  const { code, input } = issue;
  const isChoice = code === "invalid_type" || code === "invalid_value" || code === "invalid_union";
  if (isChoice && input === undefined) return "is missing";
  // For a missing discriminator of a union, the input is the object around it.
  const { discriminator } = issue;
  if (code !== "invalid_union" || typeof discriminator !== "string") return undefined;
  return typeof input === "object" && input !== null && !Object.hasOwn(input, discriminator)
    ? "is missing"
    : undefined;
}
