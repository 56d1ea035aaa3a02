import * as z from "zod";
import { clip, plainLine, plainText } from "../text/plain-text.ts";
import { defused, fromCustomer, untrustedSchema } from "../text/untrusted.ts";
import { customerIdSchema, orderIdSchema, ticketIdSchema, toId } from "./ids.ts";

// Columns of a ticket that callers may see.

export const TICKET_STATUSES = ["open", "pending", "closed"] as const;
export type TicketStatus = (typeof TICKET_STATUSES)[number];
export const TOPICS = ["delivery", "return", "payment", "account", "product"] as const;

const SUBJECT_MAX = 200;
const BODY_MAX = 4_000;
export const RESOLUTION_MAX = 500;

/** Names no customer, so listing the queue reads nobody's data. */
export const ticketSummarySchema = z.strictObject({
  ticket_id: ticketIdSchema,
  topic: z.enum(TOPICS),
  status: z.enum(TICKET_STATUSES),
  opened_at: z.iso.datetime(),
});
export type TicketSummary = z.output<typeof ticketSummarySchema>;

/** The state of a ticket. */
export const ticketStateSchema = z.strictObject({
  ticket_id: ticketIdSchema,
  status: z.enum(TICKET_STATUSES),
  version: z.int().describe("Grows with every change"),
  closed_at: z.iso.datetime().nullable(),
  resolution: z.string().nullable().describe("What was said when it was closed"),
});
export type TicketState = z.output<typeof ticketStateSchema>;

export const ticketSchema = z.strictObject({
  ...ticketStateSchema.shape,
  topic: z.enum(TOPICS),
  opened_at: z.iso.datetime(),
  customer_id: customerIdSchema,
  order_id: orderIdSchema.nullable(),
  subject: untrustedSchema,
  body: untrustedSchema,
  truncated: z.boolean().describe("True where the body was cut"),
});
export type Ticket = z.output<typeof ticketSchema>;

export const ticketSummaryRowSchema = z.object({
  id: z.int(),
  topic: z.enum(TOPICS),
  status: z.enum(TICKET_STATUSES),
  opened_at: z.int(),
});
export const ticketStateRowSchema = z.object({
  id: z.int(),
  status: z.enum(TICKET_STATUSES),
  version: z.int(),
  closed_at: z.int().nullable(),
  resolution: z.string().nullable(),
});
export const ticketRowSchema = z.object({
  ...ticketSummaryRowSchema.shape,
  ...ticketStateRowSchema.shape,
  customer_id: z.int(),
  order_id: z.int().nullable(),
  subject: z.string(),
  body: z.string(),
});

const iso = (at: number) => new Date(at).toISOString();

export const toTicketSummary = (row: z.output<typeof ticketSummaryRowSchema>): TicketSummary => ({
  ticket_id: toId("T", row.id),
  topic: row.topic,
  status: row.status,
  opened_at: iso(row.opened_at),
});

export const toTicketState = (row: z.output<typeof ticketStateRowSchema>): TicketState => ({
  ticket_id: toId("T", row.id),
  status: row.status,
  version: row.version,
  closed_at: row.closed_at === null ? null : iso(row.closed_at),
  resolution: row.resolution === null ? null : defused(clip(plainText(row.resolution), RESOLUTION_MAX)),
});

export function toTicket(row: z.output<typeof ticketRowSchema>): Ticket {
  const body = fromCustomer(row.body);
  return {
    ...toTicketSummary(row),
    ...toTicketState(row),
    customer_id: toId("C", row.customer_id),
    order_id: row.order_id === null ? null : toId("O", row.order_id),
    subject: fromCustomer(clip(plainLine(row.subject), SUBJECT_MAX)),
    body: { ...body, text: clip(body.text, BODY_MAX) },
    truncated: body.text.length > BODY_MAX,
  };
}
