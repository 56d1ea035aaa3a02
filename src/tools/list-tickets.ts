import * as z from "zod";
import { cursorArgument } from "../catalog/cursor.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { customerIdSchema } from "../support/ids.ts";
import { cursorAfter, startOf } from "../support/page.ts";
import { TICKET_STATUSES, ticketSummarySchema } from "../support/ticket.ts";
import { unknownCustomer } from "../support/unknown.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

const LIMIT = 10;
const LIMIT_MAX = 20;

export const listTickets = defineTool({
  name: "list_tickets",
  version: 1,
  title: "List tickets",
  description: `Support tickets, the newest first, of one customer or of all: topic, status and date.
Who wrote a ticket and what it says is in get_ticket. Pass next_cursor back as cursor, with all else unchanged, for older ones.`,
  examples: [{ status: "open" }, { customer_id: "C-10042" }],
  annotations: READ_ONLY,
  scope: "support:read",
  labels: {
    classes: ["contact"],
    kinds: ["source"],
    subjects: { arguments: ["customer_id"], results: [] },
    objects: { arguments: [], results: ["tickets[].ticket_id"] },
    cost: { records: LIMIT_MAX, bytes: 4_000, page: { argument: "limit", default: LIMIT } },
  },
  input: z.strictObject({
    customer_id: customerIdSchema.optional(),
    status: z.enum(TICKET_STATUSES).optional(),
    limit: z.int().min(1).max(LIMIT_MAX).default(LIMIT),
    cursor: cursorArgument.optional(),
  }),
  output: z.strictObject({
    tickets: z.array(ticketSummarySchema),
    next_cursor: z.string().optional().describe("Present where there are older tickets"),
  }),

  async run({ customer_id, status, limit, cursor }, { support }) {
    const question = ["list_tickets", customer_id, status];
    const before = startOf(question, cursor);
    if (!before.ok) return before;
    const page = await support.tickets({ customerId: customer_id, status, limit, before: before.value });
    if (page === undefined) return unknownCustomer;
    const tickets = page.value.items;
    return ok(answered({ tickets, ...cursorAfter(page.value, question) }, page.signals));
  },

  text({ tickets, next_cursor }) {
    if (tickets.length === 0) return "There are no such tickets.";
    const lines = tickets.map(
      ({ ticket_id, topic, status, opened_at }) => `${ticket_id}: ${status}, ${topic}, opened ${opened_at}`,
    );
    if (next_cursor !== undefined)
      lines.push(`There are older ones: call again with cursor "${next_cursor}".`);
    return lines.join("\n");
  },
});
