import * as z from "zod";
import { clip, plainLine } from "../text/plain-text.ts";
import { customerIdSchema, toId } from "./ids.ts";

// Columns of a customer that callers may see. A column that is not named here does not exist for callers.

const FIELD_MAX = 120;

/** Customers that a search answers at most. */
export const SEARCH_MAX = 5;

/** Enough to tell two customers of one name apart; everything else is requested by id. */
export const customerHitSchema = z.strictObject({
  customer_id: customerIdSchema,
  name: z.string(),
  city: z.string(),
});
export type CustomerHit = z.output<typeof customerHitSchema>;

export const customerSchema = z.strictObject({
  customer_id: customerIdSchema,
  name: z.string(),
  email: z.string(),
  phone: z.string(),
  address: z.strictObject({
    street: z.string(),
    postcode: z.string(),
    city: z.string(),
    country: z.string().describe("ISO 3166-1 alpha-2"),
  }),
  customer_since: z.iso.datetime(),
  orders: z.int(),
  open_tickets: z.int().describe("Tickets that are not closed"),
});
export type Customer = z.output<typeof customerSchema>;

export const paymentMethodSchema = z.strictObject({
  brand: z.string(),
  last4: z.string().describe("The card number's last four digits; this server has no others"),
  preferred: z.boolean(),
});
export type PaymentMethod = z.output<typeof paymentMethodSchema>;

export const hitRowSchema = z.object({ id: z.int(), name: z.string(), city: z.string() });
export const customerRowSchema = z.object({
  ...hitRowSchema.shape,
  email: z.string(),
  phone: z.string(),
  street: z.string(),
  postcode: z.string(),
  country: z.string(),
  created_at: z.int(),
  orders: z.int(),
  open_tickets: z.int(),
});
export const paymentRowSchema = z.object({
  brand: z.string(),
  last4: z.string(),
  preferred: z.int().transform((flag) => flag === 1),
});

const field = (text: string) => clip(plainLine(text), FIELD_MAX);

export const toHit = ({ id, name, city }: z.output<typeof hitRowSchema>): CustomerHit => ({
  customer_id: toId("C", id),
  name: field(name),
  city: field(city),
});

export function toCustomer(row: z.output<typeof customerRowSchema>): Customer {
  return {
    customer_id: toId("C", row.id),
    name: field(row.name),
    email: field(row.email),
    phone: field(row.phone),
    address: {
      street: field(row.street),
      postcode: field(row.postcode),
      city: field(row.city),
      country: field(row.country),
    },
    customer_since: new Date(row.created_at).toISOString(),
    orders: row.orders,
    open_tickets: row.open_tickets,
  };
}

export const toPaymentMethod = ({ brand, ...rest }: z.output<typeof paymentRowSchema>): PaymentMethod => ({
  brand: field(brand),
  ...rest,
});
