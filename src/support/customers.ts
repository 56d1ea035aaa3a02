import * as z from "zod";
import { type Answered, answered } from "../detection/signals.ts";
import { readsLikeInstruction } from "../text/injection-scan.ts";
import {
  type Customer,
  type CustomerHit,
  type PaymentMethod,
  SEARCH_MAX,
  customerRowSchema,
  hitRowSchema,
  paymentRowSchema,
  toCustomer,
  toHit,
  toPaymentMethod,
} from "./customer.ts";
import { emailKey, nameKey, phoneKey, postcodeKey } from "./handles.ts";
import { customerIdSchema, orderIdSchema, toKey } from "./ids.ts";
import { type Desk, isCanary, canaryColumn, selectCustomer, customerRows, visibleTo } from "./desk.ts";

/**
 * Details that customers give about themselves: an email address, a phone number, or a name with a postcode. Every
 * given value must match.
 */
export interface Handles {
  email?: string | undefined;
  phone?: string | undefined;
  name?: string | undefined;
  postcode?: string | undefined;
  /** One of the customer's own orders. */
  orderId?: string | undefined;
}

const PAYMENT_METHODS_MAX = 20;

export async function searchCustomers(
  { db, viewerValues }: Desk,
  { email, phone, name, postcode, orderId }: Handles,
): Promise<Answered<{ customers: CustomerHit[]; more: boolean }>> {
  const values: (string | number | null)[] = [...viewerValues, SEARCH_MAX + 1];
  const conditions = [visibleTo("c.id")];
  const add = (condition: (value: string) => string, value: string) =>
    conditions.push(condition(`?${values.push(value)}`));
  if (email !== undefined) add((value) => `c.email_key = ${value}`, emailKey(email));
  if (phone !== undefined) add((value) => `c.phone_key = ${value} AND c.phone_key <> ''`, phoneKey(phone));
  if (postcode !== undefined) add((value) => `c.postcode_key = ${value}`, postcodeKey(postcode));
  if (orderId !== undefined) {
    conditions.push(
      `c.id = (SELECT o.customer_id FROM orders o WHERE o.id = ?${values.push(toKey(orderIdSchema, orderId))})`,
    );
  }
  // Match whole words of the name, because customers may give only their first or last name.
  if (name !== undefined) {
    add((value) => `instr(' ' || c.name_key || ' ', ' ' || ${value} || ' ') > 0`, nameKey(name));
  }
  // A canary's email address and phone number stand only in its row, but an honest caller might give its name.
  if (email === undefined && phone === undefined) conditions.push(`NOT ${isCanary("c.id")}`);
  const { results } = await db
    .prepare(
      `SELECT c.id, c.name, c.city, ${isCanary("c.id")} AS canary FROM customers c
       WHERE ${conditions.join(" AND ")} ORDER BY c.id LIMIT ?3`,
    )
    .bind(...values)
    .all();
  const found = z.array(hitRowSchema.extend(canaryColumn)).parse(results);
  const rows = found.slice(0, SEARCH_MAX);
  return answered(
    { customers: rows.map(toHit), more: found.length > SEARCH_MAX },
    {
      records: rows.length,
      missed: rows.length === 0,
      tainted: rows.some((row) => readsLikeInstruction(row.name, row.city)),
      canary: rows.some(({ canary }) => canary),
    },
  );
}

export async function readCustomer(
  { db, viewerValues }: Desk,
  id: string,
): Promise<Answered<Customer> | undefined> {
  const found = await db
    .prepare(
      `SELECT c.id, c.name, c.email, c.phone, c.street, c.postcode, c.city, c.country, c.created_at,
         (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) AS orders,
         (SELECT count(*) FROM tickets t WHERE t.customer_id = c.id AND t.status <> 'closed') AS open_tickets,
         ${isCanary("c.id")} AS canary
       FROM customers c WHERE c.id = ?3 AND ${visibleTo("c.id")}`,
    )
    .bind(...viewerValues, toKey(customerIdSchema, id))
    .first();
  if (found === null) return undefined;
  const row = customerRowSchema.extend(canaryColumn).parse(found);
  const { name, email, street, city } = row;
  return answered(toCustomer(row), {
    records: 1,
    // Scanned as stored: the answer drops invisible characters, but they were meant for a model all the same.
    tainted: readsLikeInstruction(name, email, street, city),
    canary: row.canary,
  });
}

export async function readPaymentMethods(
  desk: Desk,
  customerId: string,
): Promise<Answered<PaymentMethod[]> | undefined> {
  const { db, viewerValues } = desk;
  const [present, rows] = await db.batch([
    selectCustomer(desk, customerId),
    db
      .prepare(
        `SELECT p.brand, p.last4, p.preferred FROM payment_methods p WHERE p.customer_id = ?3
           AND ${visibleTo("p.customer_id")} ORDER BY p.preferred DESC, p.id LIMIT ?4`,
      )
      .bind(...viewerValues, toKey(customerIdSchema, customerId), PAYMENT_METHODS_MAX),
  ]);
  const customer = customerRows.parse(present?.results);
  if (customer === undefined) return undefined;
  const methods = z.array(paymentRowSchema).parse(rows?.results).map(toPaymentMethod);
  return answered(methods, { records: methods.length, canary: customer.canary });
}
