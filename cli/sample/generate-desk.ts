import type { ProductRecord } from "../../src/catalog/import/record.ts";
import {
  type CustomerRecord,
  type OrderRecord,
  type SupportRecords,
  type TicketRecord,
  customerRecordSchema,
  orderRecordSchema,
  ticketRecordSchema,
} from "../../src/support/import/records.ts";
import { toId } from "../../src/support/ids.ts";
import { chance } from "./chance.ts";
import {
  cardBrands,
  complaints,
  firstNames,
  injections,
  lastNames,
  mailboxes,
  places,
  staffNotes,
} from "./people-vocabulary.ts";

const FIRST = { customer: 10_001, order: 100_001, ticket: 5_001 };
/**
 * The demo customer's number (cli/local/demo-users.ts). This customer always exists, has orders and is not a
 * canary.
 */
export const DEMO_CUSTOMER = 10_042;
export const CUSTOMERS_MIN = DEMO_CUSTOMER - FIRST.customer + 1;

const DAY_MS = 24 * 60 * 60 * 1000;
const END = Date.parse("2026-11-01T00:00:00Z");
const RECENT = ["placed", "shipped"];
const PAST = "delivered delivered delivered delivered delivered returned cancelled".split(" ");
/** One customer in this many is a canary, and one ticket in this many an attack. */
const CANARY_EVERY = 90;
const ATTACK_EVERY = 25;

/**
 * Generates a plausible support desk with orders of `products`: the same `customers` and `seed` always give
 * the same one. There are about three orders and half a ticket per customer. Keys grow by one with time, as
 * in a real shop, so that guessing the next one works.
 */
export function generateDesk(
  customers: number,
  seed: number,
  products: readonly ProductRecord[],
): SupportRecords {
  const { between, oneOf } = chance(seed);
  /** Sorted random times within `days` days that end `before` days before the end. */
  const times = (count: number, days: number, before: number) =>
    Array.from({ length: count }, () => END - before * DAY_MS - between(1, days * 86_400) * 1000).toSorted(
      (a, b) => a - b,
    );

  const people = times(customers, 550, 550).map((at, index) => person(FIRST.customer + index, at));
  const buyers = people
    .flatMap((buyer) => Array.from({ length: ordersOf(buyer) }, () => ({ buyer, turn: between(0, 2 ** 30) })))
    .toSorted((a, b) => a.turn - b.turn);
  const dates = times(buyers.length, 550, 0);
  const orders = buyers.map(({ buyer }, index) => order(FIRST.order + index, buyer.id, dates[index] ?? END));
  const canaries = new Set(people.filter(({ canary }) => canary).map(({ id }) => id));
  const tickets = orders
    .filter(({ customer_id }) => !canaries.has(customer_id))
    .filter(({ customer_id }) => between(1, customer_id === DEMO_CUSTOMER ? 2 : 6) === 1)
    .map((about) => ({ about, at: about.placed_at + between(1, 20 * 1_440) * 60_000 }))
    .filter(({ at }) => at < END)
    .toSorted((a, b) => a.at - b.at)
    .map(({ about, at }, index) => ticket(FIRST.ticket + index, about, at));
  return { customers: people, orders, tickets };

  function person(id: number, at: number): CustomerRecord {
    const name = `${oneOf(firstNames)} ${oneOf(lastNames)}`;
    const place = oneOf(places);
    const mailbox = name
      .normalize("NFKD")
      .replace(/[^A-Za-z ]/g, "")
      .toLowerCase()
      .replace(" ", ".");
    const digits = () => String(between(0, 9));
    return customerRecordSchema.parse({
      id,
      name,
      email: `${mailbox}.${id % 1000}@${oneOf(mailboxes)}`,
      phone: between(1, 5) === 1 ? "" : place.phone.replaceAll("#", digits),
      street:
        place.country === "US" || place.country === "GB"
          ? `${between(1, 180)} ${oneOf(place.streets)}`
          : `${oneOf(place.streets)} ${between(1, 180)}`,
      postcode: oneOf(place.postcodes),
      city: place.city,
      country: place.country,
      created_at: at,
      canary: id !== DEMO_CUSTOMER && (id - FIRST.customer) % CANARY_EVERY === CANARY_EVERY / 3,
      risk_score: between(0, 100),
      staff_note: between(1, 8) === 1 ? oneOf(staffNotes) : null,
      payment_methods: Array.from({ length: between(1, 3) }, (_, index) => ({
        brand: oneOf(cardBrands),
        last4: String(between(0, 9_999)).padStart(4, "0"),
        preferred: index === 0,
        processor_token: `tok_sample_${id}_${index}`,
      })),
    });
  }

  function ordersOf({ id }: CustomerRecord): number {
    return id === DEMO_CUSTOMER ? 12 : between(1, 5);
  }

  function order(id: number, customer_id: number, placed_at: number): OrderRecord {
    const isRecent = placed_at > END - 14 * DAY_MS;
    return orderRecordSchema.parse({
      id,
      customer_id,
      status: oneOf(isRecent ? RECENT : PAST),
      currency: "USD",
      placed_at,
      items: Array.from({ length: between(1, 4) }, () => {
        const { sku, name, price_minor: price } = oneOf(products);
        return { sku, name, quantity: between(1, 6) === 1 ? 2 : 1, unit_price_minor: price };
      }),
    });
  }

  function ticket(id: number, { id: orderId, customer_id, items }: OrderRecord, at: number): TicketRecord {
    const complaint = oneOf(complaints);
    const isAttack = (id - FIRST.ticket) % ATTACK_EVERY === ATTACK_EVERY - 5;
    const name = people[customer_id - FIRST.customer]?.name ?? "";
    const fill = (text: string) =>
      text
        .replaceAll("{order}", toId("O", orderId))
        .replaceAll("{item}", items[0]?.name ?? "it")
        .replaceAll("{name}", name);
    const isOpen = isAttack || at > END - 45 * DAY_MS;
    const status = isOpen ? oneOf(["open", "open", "pending"]) : "closed";
    return ticketRecordSchema.parse({
      id,
      customer_id,
      order_id: orderId,
      topic: complaint.topic,
      status,
      subject: fill(complaint.subject),
      body: isAttack ? `${fill(complaint.body)}\n\n${oneOf(injections)}` : fill(complaint.body),
      resolution: isOpen ? null : complaint.resolution,
      opened_at: at,
      closed_at: isOpen ? null : Math.min(at + between(1, 10) * DAY_MS, END),
    });
  }
}
