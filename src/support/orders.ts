import * as z from "zod";
import { type Answered, answered } from "../detection/signals.ts";
import { type Desk, isCanary, canaryColumn, selectCustomer, customerRows, visibleTo } from "./desk.ts";
import { customerIdSchema, orderIdSchema, toKey } from "./ids.ts";
import {
  ITEMS_MAX,
  type Order,
  type OrderSummary,
  itemRowSchema,
  orderRowSchema,
  toOrder,
  toOrderSummary,
} from "./order.ts";
import { type Page, type PageRequest, pageOf } from "./page.ts";

const COLUMNS = `o.id, o.customer_id, o.status, o.currency, o.placed_at,
  (SELECT coalesce(sum(i.quantity), 0) FROM order_items i WHERE i.order_id = o.id) AS units,
  (SELECT coalesce(sum(i.quantity * i.unit_price_minor), 0) FROM order_items i WHERE i.order_id = o.id) AS total_minor`;

export async function readOrders(
  desk: Desk,
  customerId: string,
  { limit, before }: PageRequest,
): Promise<Answered<Page<OrderSummary>> | undefined> {
  const { db, viewerValues } = desk;
  const [present, found] = await db.batch([
    selectCustomer(desk, customerId),
    db
      .prepare(
        `SELECT ${COLUMNS} FROM orders o WHERE o.customer_id = ?3 AND ${visibleTo("o.customer_id")}
           AND o.id < ?4 ORDER BY o.id DESC LIMIT ?5`,
      )
      .bind(...viewerValues, toKey(customerIdSchema, customerId), before, limit + 1),
  ]);
  const customer = customerRows.parse(present?.results);
  if (customer === undefined) return undefined;
  const page = pageOf(z.array(orderRowSchema).parse(found?.results), limit, toOrderSummary);
  return answered(page, { records: page.items.length, canary: customer.canary });
}

export async function readOrder(
  { db, viewerValues }: Desk,
  id: string,
): Promise<Answered<Order> | undefined> {
  const key = toKey(orderIdSchema, id);
  const [found, lines] = await db.batch([
    db
      .prepare(
        `SELECT ${COLUMNS}, ${isCanary("o.customer_id")} AS canary FROM orders o
         WHERE o.id = ?3 AND ${visibleTo("o.customer_id")}`,
      )
      .bind(...viewerValues, key),
    db
      .prepare(
        `SELECT i.sku, i.name, i.quantity, i.unit_price_minor FROM order_items i JOIN orders o ON o.id = i.order_id
         WHERE i.order_id = ?3 AND ${visibleTo("o.customer_id")} ORDER BY i.line LIMIT ?4`,
      )
      .bind(...viewerValues, key, ITEMS_MAX + 1),
  ]);
  const [row] = z.array(orderRowSchema.extend(canaryColumn)).parse(found?.results);
  if (row === undefined) return undefined;
  const items = z.array(itemRowSchema).parse(lines?.results);
  return answered(toOrder(row, items), { records: 1, canary: row.canary });
}
