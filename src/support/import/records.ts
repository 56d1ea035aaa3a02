import * as z from "zod";
import { ORDER_STATUSES } from "../order.ts";
import { RESOLUTION_MAX, TICKET_STATUSES, TOPICS } from "../ticket.ts";

// Rows for filling the support desk. Keys are integers, times are milliseconds since the epoch.

const key = z.int().min(1);
const time = z.int().min(0);
const text = (max: number) => z.string().min(1).max(max);

export const customerRecordSchema = z.strictObject({
  id: key,
  name: text(120),
  email: z.email().max(254),
  phone: z.string().max(40),
  street: text(120),
  postcode: text(12),
  city: text(120),
  country: z.string().regex(/^[A-Z]{2}$/),
  created_at: time,
  canary: z.boolean().default(false),
  risk_score: z.int().nullable().default(null),
  staff_note: z.string().max(500).nullable().default(null),
  payment_methods: z
    .array(
      z.strictObject({
        brand: text(40),
        last4: z.string().regex(/^\d{4}$/),
        preferred: z.boolean(),
        processor_token: text(100),
      }),
    )
    .max(20),
});
export type CustomerRecord = z.output<typeof customerRecordSchema>;

export const orderRecordSchema = z.strictObject({
  id: key,
  customer_id: key,
  status: z.enum(ORDER_STATUSES),
  currency: z.string().regex(/^[A-Z]{3}$/),
  placed_at: time,
  items: z
    .array(
      z.strictObject({
        sku: text(64),
        name: text(200),
        quantity: z.int().min(1),
        unit_price_minor: z.int().min(0),
      }),
    )
    .min(1),
});
export type OrderRecord = z.output<typeof orderRecordSchema>;

export const ticketRecordSchema = z.strictObject({
  id: key,
  customer_id: key,
  order_id: key.nullable().default(null),
  topic: z.enum(TOPICS),
  status: z.enum(TICKET_STATUSES),
  subject: text(500),
  body: text(20_000),
  resolution: z.string().max(RESOLUTION_MAX).nullable().default(null),
  opened_at: time,
  closed_at: time.nullable().default(null),
  /** The id of the user who works on it. */
  assignee: text(100).nullable().default(null),
});
export type TicketRecord = z.output<typeof ticketRecordSchema>;

export interface SupportRecords {
  customers: CustomerRecord[];
  orders: OrderRecord[];
  tickets: TicketRecord[];
}
