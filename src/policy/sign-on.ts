import * as z from "zod";

const claim = z.string().min(1).max(200);
const role = z.string().min(1).max(32);

/** Maps people of the sign-in provider to users of this server. */
export const signOnSchema = z.strictObject({
  scope: z
    .string()
    .regex(/^openid( \S+)*$/, "must begin with openid")
    .default("openid profile")
    .describe("Scopes requested from the provider; some give groups only for an extra scope"),
  roles_claim: claim.describe("The claim that holds a person's groups: a string, or a list of them"),
  mapping: z
    .record(z.string(), z.array(role).min(1))
    .describe("The roles that each value of that claim grants"),
  default_role: role.nullable().describe("For people to whom no value grants a role; null refuses them"),
  customer_id_claim: claim
    .optional()
    .describe("The claim with the customer id of a person who is a customer of the shop"),
  valid_days: z
    .int()
    .min(1)
    .max(365)
    .default(30)
    .describe("Days that sessions and clients stay signed in after a sign-in"),
  contact: z
    .string()
    .min(1)
    .max(200)
    .default("whoever runs this server")
    .describe("Whom refused people can ask, as pages show it"),
});
export type SignOnPolicy = z.output<typeof signOnSchema>;
