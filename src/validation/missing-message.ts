import type * as z from "zod";

/** An error map for parses: says of what is absent that it "is missing", and leaves all else to the schema's own words. */
export function sayMissing(issue: z.core.$ZodRawIssue): string | undefined {
  const { code, input } = issue;
  const isChoice = code === "invalid_type" || code === "invalid_value" || code === "invalid_union";
  if (isChoice && input === undefined) return "is missing";
  // Of a member that tells the members of a union apart, the input is the object around it.
  const { discriminator } = issue;
  if (code !== "invalid_union" || typeof discriminator !== "string") return undefined;
  return typeof input === "object" && input !== null && !Object.hasOwn(input, discriminator)
    ? "is missing"
    : undefined;
}
