import * as z from "zod";
import { type Answered, answered } from "../detection/signals.ts";
import { readsLikeInstruction } from "../text/injection-scan.ts";
import { type Desk, isCanary, canaryColumn, selectCustomer, customerRows, visibleTo } from "./desk.ts";
import { customerIdSchema, ticketIdSchema, toKey } from "./ids.ts";
import { type Page, type PageRequest, pageOf } from "./page.ts";
import {
  type Ticket,
  type TicketState,
  type TicketStatus,
  type TicketSummary,
  ticketRowSchema,
  ticketStateRowSchema,
  ticketSummaryRowSchema,
  toTicket,
  toTicketState,
  toTicketSummary,
} from "./ticket.ts";

export interface TicketQuestion extends PageRequest {
  customerId?: string | undefined;
  status?: TicketStatus | undefined;
}

export interface Closing {
  ticketId: string;
  resolution: string;
  /** Version of the ticket as the caller read it; undefined closes the ticket in any version. */
  version?: number | undefined;
  /** Milliseconds since the epoch. */
  now: number;
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

/** Returns the ticket's state afterwards, and whether this call changed it: a closed ticket stays as it is. */
export async function closeTicket(
  { db, viewerValues }: Desk,
  { ticketId, resolution, version, now }: Closing,
): Promise<{ state: TicketState; changed: boolean } | undefined> {
  const key = toKey(ticketIdSchema, ticketId);
  const [closed, found] = await db.batch([
    db
      .prepare(
        `UPDATE tickets SET status = 'closed', closed_at = ?4, resolution = ?5, version = version + 1
         WHERE id = ?3 AND ${visibleTo("customer_id")} AND status <> 'closed' AND (?6 IS NULL OR version = ?6)
         RETURNING id`,
      )
      .bind(...viewerValues, key, now, resolution, version ?? null),
    db
      .prepare(
        `SELECT t.id, t.status, t.version, t.closed_at, t.resolution FROM tickets t
         WHERE t.id = ?3 AND ${visibleTo("t.customer_id")}`,
      )
      .bind(...viewerValues, key),
  ]);
  const [row] = z.array(ticketStateRowSchema).parse(found?.results);
  if (row === undefined) return undefined;
  return { state: toTicketState(row), changed: closed?.results.length === 1 };
}
