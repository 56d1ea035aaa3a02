import * as z from "zod";
import { ok } from "../refusal.ts";
import { orderIdSchema } from "../support/ids.ts";
import { orderSchema } from "../support/order.ts";
import { unknownOrder } from "../support/unknown.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

export const getOrder = defineTool({
  name: "get_order",
  version: 1,
  title: "Get one order",
  description: `One order: whose it is, status, date, items with their price as it was then, total.
Ids come from get_customer_orders, from a ticket, or from the customer; never guess one.`,
  examples: [{ order_id: "O-100001" }],
  annotations: READ_ONLY,
  scope: "support:read",
  labels: {
    classes: ["orders"],
    kinds: ["source"],
    subjects: { arguments: [], results: ["customer_id"] },
    objects: { arguments: ["order_id"], results: ["order_id"] },
    cost: { records: 1, bytes: 64_000 },
  },
  input: z.strictObject({ order_id: orderIdSchema }),
  output: orderSchema,

  async run({ order_id }, { support }) {
    const order = await support.order(order_id);
    return order === undefined ? unknownOrder : ok(order);
  },

  text: ({ order_id, customer_id, status, placed_at, items, total, truncated }) =>
    [
      `${order_id}: ${status}, placed ${placed_at} by ${customer_id}`,
      ...items.map(
        ({ sku, name, quantity, unit_price }) =>
          `Item ${sku}: ${name}, ${quantity} x ${unit_price.formatted}`,
      ),
      ...(truncated ? ["(More items than are listed.)"] : []),
      `Total: ${total.formatted}`,
    ].join("\n"),
});
