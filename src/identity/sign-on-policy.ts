import * as z from "zod";
import { roleSchema } from "./administration.ts";

const claim = z.string().min(1);

/** Who a person of the sign-in provider is here. */
export const signOnPolicySchema = z.strictObject({
  /** What is asked of the provider, separated by spaces; some give groups only for a scope of their own. */
  scope: z
    .string()
    .regex(/^openid( \S+)*$/, "begins with openid")
    .default("openid profile"),
  /** The claim that holds a person's groups: a string, or an array of them. */
  roles_claim: claim,
  /** The roles that each value of that claim brings. */
  mapping: z.record(z.string(), z.array(roleSchema).min(1)),
  /** For people whom no value brings a role; null refuses them. */
  default_role: roleSchema.nullable(),
  /** The claim that names the customer of the shop that a person is. */
  customer_id_claim: claim.optional(),
  /** How long what a sign-in opened goes on without another one: a person who left keeps nothing for longer. */
  valid_days: z.int().min(1).max(365).default(30),
  /** Whom the refused can ask, as pages show it. */
  contact: z.string().min(1).max(200).default("whoever runs this server"),
});
export type SignOnPolicy = z.output<typeof signOnPolicySchema>;

export const signOnPolicy: SignOnPolicy = signOnPolicySchema.parse({
  roles_claim: "groups",
  mapping: {
    "catalog-support": ["support"],
    "catalog-inventory": ["inventory"],
    "catalog-admin": ["admin"],
  },
  default_role: null,
});
