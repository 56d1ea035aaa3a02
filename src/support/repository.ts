import type { D1Database } from "@cloudflare/workers-types";
import * as z from "zod";
import type { ChangeDraft } from "../changes/change.ts";
import type { Answered } from "../detection/signals.ts";
import type { Outcome } from "../refusal.ts";
import type { Customer, CustomerHit, PaymentMethod } from "./customer.ts";
import { type Handles, readCustomer, readPaymentMethods, searchCustomers } from "./customers.ts";
import { deskOf } from "./desk.ts";
import type { Order, OrderSummary } from "./order.ts";
import { readOrder, readOrders } from "./orders.ts";
import type { Page, PageRequest } from "./page.ts";
import type { Ticket, TicketStatus, TicketSummary } from "./ticket.ts";
import {
  type ChangedTicket,
  type Closing,
  type Reopened,
  closeTicket,
  reopenTicket,
} from "./ticket-changes.ts";
import { type TicketQuestion, readTicket, readTickets } from "./tickets.ts";
import type { Viewer } from "./viewer.ts";

/** Counts without canaries. */
export interface SupportSummary {
  customers: number;
  orders: number;
  tickets: Record<TicketStatus, number>;
}

/**
 * Everything that one caller may read and change of the support desk. Only this folder holds SQL over it. A row that
 * the viewer may not see is answered like one that does not exist: undefined.
 */
export interface Support {
  /** Whether the viewer may look people up, and count them. */
  seesAll: boolean;
  search(handles: Handles): Promise<Answered<{ customers: CustomerHit[]; more: boolean }>>;
  customer(id: string): Promise<Answered<Customer> | undefined>;
  paymentMethods(customerId: string): Promise<Answered<PaymentMethod[]> | undefined>;
  orders(customerId: string, page: PageRequest): Promise<Answered<Page<OrderSummary>> | undefined>;
  order(id: string): Promise<Answered<Order> | undefined>;
  /** Returns undefined if the requested customer does not exist. */
  tickets(question: TicketQuestion): Promise<Answered<Page<TicketSummary>> | undefined>;
  ticket(id: string): Promise<Answered<Ticket> | undefined>;
  closeTicket(closing: Closing, draft: ChangeDraft): Promise<Outcome<ChangedTicket>>;
  /** Undoes the closing `draft.undoes`. */
  reopenTicket(draft: ChangeDraft & { undoes: string }): Promise<Outcome<Reopened>>;
  summary(): Promise<SupportSummary>;
}

/** Binds the repository to one viewer, so that no tool can request another's rows. */
export function createSupport(db: D1Database, viewer: Viewer): Support {
  const desk = deskOf(db, viewer);
  return {
    seesAll: viewer.sees === "all",
    search: (handles) => searchCustomers(desk, handles),
    customer: (id) => readCustomer(desk, id),
    paymentMethods: (customerId) => readPaymentMethods(desk, customerId),
    orders: (customerId, page) => readOrders(desk, customerId, page),
    order: (id) => readOrder(desk, id),
    tickets: (question) => readTickets(desk, question),
    ticket: (id) => readTicket(desk, id),
    closeTicket: (closing, draft) => closeTicket(desk, closing, draft),
    reopenTicket: (draft) => reopenTicket(desk, draft),
    summary: () => countAll(db),
  };
}

const summaryRow = z.object({
  customers: z.int(),
  orders: z.int(),
  open: z.int(),
  pending: z.int(),
  closed: z.int(),
});

async function countAll(db: D1Database): Promise<SupportSummary> {
  const row = await db
    .prepare(
      `SELECT (SELECT count(*) FROM customers) - (SELECT count(*) FROM canary_customers) AS customers,
         (SELECT count(*) FROM orders)
           - (SELECT count(*) FROM canary_customers k JOIN orders o ON o.customer_id = k.customer_id) AS orders,
         (SELECT count(*) FROM tickets WHERE status = 'open') AS open,
         (SELECT count(*) FROM tickets WHERE status = 'pending') AS pending,
         (SELECT count(*) FROM tickets WHERE status = 'closed') AS closed`,
    )
    .first();
  const { customers, orders, ...tickets } = summaryRow.parse(row);
  return { customers, orders, tickets };
}
