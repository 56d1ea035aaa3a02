import * as z from "zod";

type Prefix = "C" | "O" | "T";

/** Allows one spelling of each id, because two spellings would count as two things. */
const idSchema = (prefix: Prefix, example: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}-[1-9]\\d{0,14}$`), `Must look like ${example}`)
    .describe(`Such as ${example}`);

export const customerIdSchema = idSchema("C", "C-10042");
export const orderIdSchema = idSchema("O", "O-100001");
export const ticketIdSchema = idSchema("T", "T-5001");

export const toId = (prefix: Prefix, number: number): string => `${prefix}-${number}`;

/** Returns the row's key of a public id; null, which equals no key, if the id is invalid. */
export function toKey(schema: typeof customerIdSchema, id: string | undefined): number | null {
  const parsed = schema.safeParse(id);
  return parsed.success ? Number(parsed.data.slice(2)) : null;
}
