import * as z from "zod";
import { moneySchema, toMoney } from "../catalog/money.ts";
import { clip, plainLine } from "../text/plain-text.ts";
import { customerIdSchema, orderIdSchema, toId } from "./ids.ts";

// Columns of an order that callers may see.

export const ORDER_STATUSES = ["placed", "shipped", "delivered", "returned", "cancelled"] as const;

const FIELD_MAX = 200;
/** Items of an order that are shown. */
export const ITEMS_MAX = 100;

export const orderSummarySchema = z.strictObject({
  order_id: orderIdSchema,
  status: z.enum(ORDER_STATUSES),
  placed_at: z.iso.datetime(),
  items: z.int().describe("Units in it"),
  total: moneySchema,
});
export type OrderSummary = z.output<typeof orderSummarySchema>;

export const orderSchema = z.strictObject({
  order_id: orderIdSchema,
  customer_id: customerIdSchema,
  status: z.enum(ORDER_STATUSES),
  placed_at: z.iso.datetime(),
  items: z.array(
    z.strictObject({
      sku: z.string(),
      name: z.string(),
      quantity: z.int(),
      unit_price: moneySchema,
    }),
  ),
  total: moneySchema,
  truncated: z.boolean().describe("True where there are more items than are listed"),
});
export type Order = z.output<typeof orderSchema>;

export const orderRowSchema = z.object({
  id: z.int(),
  customer_id: z.int(),
  status: z.enum(ORDER_STATUSES),
  currency: z.string(),
  placed_at: z.int(),
  units: z.int(),
  total_minor: z.int(),
});
type OrderRow = z.output<typeof orderRowSchema>;

export const itemRowSchema = z.object({
  sku: z.string(),
  name: z.string(),
  quantity: z.int(),
  unit_price_minor: z.int(),
});

const common = ({ id, status, placed_at, total_minor, currency }: OrderRow) => ({
  order_id: toId("O", id),
  status,
  placed_at: new Date(placed_at).toISOString(),
  total: toMoney(total_minor, currency),
});

export const toOrderSummary = (row: OrderRow): OrderSummary => ({ ...common(row), items: row.units });

/** `items` may hold one more item than is shown. */
export const toOrder = (row: OrderRow, items: z.output<typeof itemRowSchema>[]): Order => ({
  ...common(row),
  customer_id: toId("C", row.customer_id),
  items: items.slice(0, ITEMS_MAX).map(({ sku, name, quantity, unit_price_minor }) => ({
    sku: clip(plainLine(sku), FIELD_MAX),
    name: clip(plainLine(name), FIELD_MAX),
    quantity,
    unit_price: toMoney(unit_price_minor, row.currency),
  })),
  truncated: items.length > ITEMS_MAX,
});
