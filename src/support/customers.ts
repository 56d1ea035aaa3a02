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
import { customerIdSchema, toKey } from "./ids.ts";
import { type Desk, isCanary, marked, presence, presenceRows, seenBy } from "./desk.ts";

/** What a customer said of themselves: an email address, a phone number, or a name with a postcode. All that is given must fit. */
export interface Handles {
  email?: string | undefined;
  phone?: string | undefined;
  name?: string | undefined;
  postcode?: string | undefined;
}

const PAYMENT_METHODS_MAX = 20;

export async function searchCustomers(
  { db, sight }: Desk,
  { email, phone, name, postcode }: Handles,
): Promise<Answered<{ customers: CustomerHit[]; more: boolean }>> {
  const values: (string | number | null)[] = [...sight, SEARCH_MAX + 1];
  const conditions = [seenBy("c.id")];
  const add = (condition: (value: string) => string, value: string) =>
    conditions.push(condition(`?${values.push(value)}`));
  if (email !== undefined) add((value) => `c.email_key = ${value}`, emailKey(email));
  if (phone !== undefined) add((value) => `c.phone_key = ${value} AND c.phone_key <> ''`, phoneKey(phone));
  if (postcode !== undefined) add((value) => `c.postcode_key = ${value}`, postcodeKey(postcode));
  // Whole words of the name, as customers give their first or last name alone.
  if (name !== undefined) {
    add((value) => `instr(' ' || c.name_key || ' ', ' ' || ${value} || ' ') > 0`, nameKey(name));
  }
  // Nobody has a canary's email address or phone number but from its row; its name an honest caller might give.
  if (email === undefined && phone === undefined) conditions.push(`NOT ${isCanary("c.id")}`);
  const { results } = await db
    .prepare(
      `SELECT c.id, c.name, c.city, ${isCanary("c.id")} AS canary FROM customers c
       WHERE ${conditions.join(" AND ")} ORDER BY c.id LIMIT ?3`,
    )
    .bind(...values)
    .all();
  const found = z.array(hitRowSchema.extend(marked)).parse(results);
  const rows = found.slice(0, SEARCH_MAX);
  return answered(
    { customers: rows.map(toHit), more: found.length > SEARCH_MAX },
    {
      records: rows.length,
      missed: rows.length === 0,
      tainted: readsLikeInstruction(...rows.flatMap((row) => [row.name, row.city])),
      canary: rows.some(({ canary }) => canary),
    },
  );
}

export async function readCustomer({ db, sight }: Desk, id: string): Promise<Answered<Customer> | undefined> {
  const found = await db
    .prepare(
      `SELECT c.id, c.name, c.email, c.phone, c.street, c.postcode, c.city, c.country, c.created_at,
         (SELECT count(*) FROM orders o WHERE o.customer_id = c.id) AS orders,
         (SELECT count(*) FROM tickets t WHERE t.customer_id = c.id AND t.status <> 'closed') AS open_tickets,
         ${isCanary("c.id")} AS canary
       FROM customers c WHERE c.id = ?3 AND ${seenBy("c.id")}`,
    )
    .bind(...sight, toKey(customerIdSchema, id))
    .first();
  if (found === null) return undefined;
  const row = customerRowSchema.extend(marked).parse(found);
  const { name, email, street, city } = row;
  return answered(toCustomer(row), {
    records: 1,
    // As written: what the answer leaves out as invisible was meant for a model all the same.
    tainted: readsLikeInstruction(name, email, street, city),
    canary: row.canary,
  });
}

export async function readPaymentMethods(
  desk: Desk,
  customerId: string,
): Promise<Answered<PaymentMethod[]> | undefined> {
  const { db, sight } = desk;
  const [present, rows] = await db.batch([
    presence(desk, customerId),
    db
      .prepare(
        `SELECT p.brand, p.last4, p.preferred FROM payment_methods p WHERE p.customer_id = ?3
           AND ${seenBy("p.customer_id")} ORDER BY p.preferred DESC, p.id LIMIT ?4`,
      )
      .bind(...sight, toKey(customerIdSchema, customerId), PAYMENT_METHODS_MAX),
  ]);
  const customer = presenceRows.parse(present?.results);
  if (customer === undefined) return undefined;
  const methods = z.array(paymentRowSchema).parse(rows?.results).map(toPaymentMethod);
  return answered(methods, { records: methods.length, canary: customer.canary });
}
