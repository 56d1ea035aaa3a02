import * as z from "zod";
import { type Answered, answered } from "../detection/signals.ts";
import { readsLikeInstruction } from "../text/injection-scan.ts";
import { type Desk, isCanary, canaryColumn, selectCustomer, customerRows, visibleTo } from "./desk.ts";
import { customerIdSchema, ticketIdSchema, toKey } from "./ids.ts";
import { type Page, type PageRequest, pageOf } from "./page.ts";
import {
  type Ticket,
  type TicketStatus,
  type TicketSummary,
  ticketRowSchema,
  ticketSummaryRowSchema,
  toTicket,
  toTicketSummary,
} from "./ticket.ts";

export interface TicketQuestion extends PageRequest {
  customerId?: string | undefined;
  status?: TicketStatus | undefined;
}

export async function readTickets(
  desk: Desk,
  { customerId, status, limit, before }: TicketQuestion,
): Promise<Answered<Page<TicketSummary>> | undefined> {
  const { db, viewerValues } = desk;
  const values: (string | number | null)[] = [...viewerValues, before, limit + 1];
  const conditions = [visibleTo("t.customer_id"), `NOT ${isCanary("t.customer_id")}`, "t.id < ?3"];
  // Repeated without the OR, so that an index finds the customer's tickets.
  if (viewerValues[0] === 0) conditions.push("t.customer_id = ?2");
  if (status !== undefined) conditions.push(`t.status = ?${values.push(status)}`);
  if (customerId !== undefined) {
    conditions.push(`t.customer_id = ?${values.push(toKey(customerIdSchema, customerId))}`);
  }
  const tickets = db
    .prepare(
      `SELECT t.id, t.topic, t.status, t.opened_at FROM tickets t
       WHERE ${conditions.join(" AND ")} ORDER BY t.id DESC LIMIT ?4`,
    )
    .bind(...values);
  const asked = customerId === undefined ? [] : [selectCustomer(desk, customerId)];
  const [found, present] = await db.batch([tickets, ...asked]);
  const customer = customerRows.parse(present?.results ?? []);
  if (customerId !== undefined && customer === undefined) return undefined;
  const page = pageOf(z.array(ticketSummaryRowSchema).parse(found?.results), limit, toTicketSummary);
  return answered(page, { records: page.items.length, canary: customer?.canary ?? false });
}

export async function readTicket(
  { db, viewerValues, user }: Desk,
  id: string,
): Promise<Answered<Ticket> | undefined> {
  const found = await db
    .prepare(
      `SELECT t.id, t.customer_id, t.order_id, t.topic, t.status, t.subject, t.body, t.resolution, t.version,
         t.opened_at, t.closed_at, ${isCanary("t.customer_id")} AS canary, t.assignee IS ?4 AND ?4 IS NOT NULL AS is_mine
       FROM tickets t WHERE t.id = ?3 AND ${visibleTo("t.customer_id")}`,
    )
    .bind(...viewerValues, toKey(ticketIdSchema, id), user)
    .first();
  if (found === null) return undefined;
  const row = ticketRowSchema.extend(canaryColumn).extend({ is_mine: z.int() }).parse(found);
  const ticket = toTicket(row);
  return answered(ticket, {
    records: 1,
    ...(row.is_mine === 1 && { explained: [ticket.customer_id] }),
    // Scanned as stored: the answer defuses or drops parts of the text, but they were meant for a model all the same.
    tainted: readsLikeInstruction(row.subject, row.body, row.resolution ?? ""),
    canary: row.canary,
  });
}
