import * as z from "zod";
import { cursorArgument } from "../catalog/cursor.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { customerIdSchema } from "../support/ids.ts";
import { orderSummarySchema } from "../support/order.ts";
import { cursorAfter, startOf } from "../support/page.ts";
import { unknownCustomer } from "../support/unknown.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

const LIMIT = 10;
const LIMIT_MAX = 20;

export const getCustomerOrders = defineTool({
  name: "get_customer_orders",
  version: 1,
  title: "Orders of a customer",
  description: `One customer's orders, the newest first: status, date, number of items, total.
What is in an order is in get_order. Pass next_cursor back as cursor, with all else unchanged, for older ones.`,
  examples: [{ customer_id: "C-10042", limit: 5 }],
  annotations: READ_ONLY,
  scope: "support:read",
  labels: {
    classes: ["orders"],
    kinds: ["source"],
    subjects: { arguments: ["customer_id"], results: ["customer_id"] },
    objects: { arguments: [], results: ["orders[].order_id"] },
    cost: { records: LIMIT_MAX, bytes: 8_000, page: { argument: "limit", default: LIMIT } },
  },
  input: z.strictObject({
    customer_id: customerIdSchema,
    limit: z.int().min(1).max(LIMIT_MAX).default(LIMIT),
    cursor: cursorArgument.optional(),
  }),
  output: z.strictObject({
    customer_id: customerIdSchema,
    orders: z.array(orderSummarySchema),
    next_cursor: z.string().optional().describe("Present where there are older orders"),
  }),

  async run({ customer_id, limit, cursor }, { support }) {
    const question = ["get_customer_orders", customer_id];
    const before = startOf(question, cursor);
    if (!before.ok) return before;
    const page = await support.orders(customer_id, { limit, before: before.value });
    if (page === undefined) return unknownCustomer;
    const orders = page.value.items;
    return ok(answered({ customer_id, orders, ...cursorAfter(page.value, question) }, page.signals));
  },

  text({ customer_id, orders, next_cursor }) {
    if (orders.length === 0) return `${customer_id} has no orders.`;
    const lines = [
      `Orders of ${customer_id}:`,
      ...orders.map(
        ({ order_id, status, placed_at, items, total }) =>
          `${order_id}: ${status}, placed ${placed_at}, ${items} items, ${total.formatted}`,
      ),
    ];
    if (next_cursor !== undefined)
      lines.push(`There are older ones: call again with cursor "${next_cursor}".`);
    return lines.join("\n");
  },
});
