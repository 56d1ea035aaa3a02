import * as z from "zod";

const claim = z.string().min(1).max(200);
const role = z.string().min(1).max(32);

/** Who a person of the sign-in provider is here. */
export const signOnSchema = z.strictObject({
  scope: z
    .string()
    .regex(/^openid( \S+)*$/, "begins with openid")
    .default("openid profile")
    .describe("What is asked of the provider; some give groups only for a scope of their own"),
  roles_claim: claim.describe("The claim that holds a person's groups: a string, or a list of them"),
  mapping: z
    .record(z.string(), z.array(role).min(1))
    .describe("The roles that each value of that claim brings"),
  default_role: role.nullable().describe("For people whom no value brings a role; null refuses them"),
  customer_id_claim: claim
    .optional()
    .describe("The claim that names the customer of the shop that a person is"),
  valid_days: z
    .int()
    .min(1)
    .max(365)
    .default(30)
    .describe("How long what a sign-in opened goes on without another one"),
  contact: z
    .string()
    .min(1)
    .max(200)
    .default("whoever runs this server")
    .describe("Whom the refused can ask, as pages show it"),
});
export type SignOnPolicy = z.output<typeof signOnSchema>;
