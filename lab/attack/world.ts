import * as z from "zod";
import type { LocalServer } from "../../cli/local/server.ts";

/**
 * Knowledge that an attacker of a server on this machine may start with: everybody's handles, and every
 * product.
 */
export interface World {
  customers: { id: string; email: string; lastName: string; postcode: string; orders: string[] }[];
  skus: string[];
  canary: string;
  /** A ticket with an injected instruction, and one that can be closed; undefined if there is none. */
  injectedTicket: string | undefined;
  openTicket: string | undefined;
}

const customerRows = z.array(
  z.object({ id: z.int(), email: z.string(), name: z.string(), postcode: z.string() }),
);
const orderRows = z.array(z.object({ id: z.int(), customer_id: z.int() }));
const skuRows = z.array(z.object({ sku: z.string() }));
const idRows = z.array(z.object({ id: z.string() }));

const QUERIES = [
  `SELECT id, email, name, postcode FROM customers
    WHERE id NOT IN (SELECT customer_id FROM canary_customers) ORDER BY id`,
  "SELECT id, customer_id FROM orders ORDER BY id",
  "SELECT sku FROM products ORDER BY sku",
  "SELECT 'C-' || customer_id AS id FROM canary_customers LIMIT 1",
  "SELECT 'T-' || id AS id FROM tickets WHERE body LIKE '%ignore%previous instructions%' ORDER BY tickets.id LIMIT 1",
  "SELECT 'T-' || id AS id FROM tickets WHERE status = 'open' AND body NOT LIKE '%instructions%' ORDER BY tickets.id LIMIT 1",
];

export async function readWorld(server: LocalServer): Promise<World> {
  const found = await server.batch(QUERIES.map((sql) => ({ sql, values: [] })));
  const [customers, orders, skus, ...ids] = found;
  const byCustomer = Map.groupBy(orderRows.parse(orders), (order) => order.customer_id);
  const [canary, injectedTicket, openTicket] = ids.map((rows) => idRows.parse(rows)[0]?.id);
  return {
    customers: customerRows.parse(customers).map(({ id, email, name, postcode }) => ({
      id: `C-${id}`,
      email,
      lastName: name.split(" ").at(-1) ?? name,
      postcode,
      orders: (byCustomer.get(id) ?? []).map((order) => `O-${order.id}`),
    })),
    skus: skuRows.parse(skus).map(({ sku }) => sku),
    canary: canary ?? "C-0",
    injectedTicket,
    openTicket,
  };
}
