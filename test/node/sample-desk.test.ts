import { describe, expect, it } from "vitest";
import { sampleDesk, sampleProducts } from "../../cli/sample/demo-data.ts";
import { DEMO_CUSTOMER } from "../../cli/sample/generate-desk.ts";
import { injections } from "../../cli/sample/people-vocabulary.ts";
import { emailKey } from "../../src/support/handles.ts";
import { scanForInjection } from "../../src/text/injection-scan.ts";

const size = { customers: 600, seed: 1 };
const { customers, orders, tickets } = sampleDesk(size);
const rising = (numbers: number[]) =>
  numbers.every((each, index) => index === 0 || each >= (numbers[index - 1] ?? 0));

describe("the sample desk", () => {
  it("is the same for the same seed, and different for another", () => {
    expect(sampleDesk(size)).toEqual({ customers, orders, tickets });
    expect(sampleDesk({ ...size, seed: 2 }).customers[0]).not.toEqual(customers[0]);
  });

  it("is large enough to be crawled, with guessable ids", () => {
    expect(customers.length).toBeGreaterThanOrEqual(500);
    expect(orders.length).toBeGreaterThanOrEqual(1_000);
    expect(tickets.length).toBeGreaterThanOrEqual(200);
    for (const [first, list] of [
      [10_001, customers],
      [100_001, orders],
      [5_001, tickets],
    ] as const) {
      expect(list.map(({ id }) => id)).toEqual(list.map((_, index) => first + index));
    }
    expect(rising(customers.map((each) => each.created_at))).toBe(true);
    expect(rising(orders.map((each) => each.placed_at))).toBe(true);
    expect(rising(tickets.map((each) => each.opened_at))).toBe(true);
  });

  it("is consistent", () => {
    const people = new Map(customers.map((each) => [each.id, each]));
    const bought = new Map(orders.map((each) => [each.id, each]));
    const skus = new Set([...sampleProducts()].map(({ sku }) => sku));
    for (const { customer_id, placed_at, items } of orders) {
      expect(people.get(customer_id)?.created_at).toBeLessThan(placed_at);
      expect(items.every(({ sku }) => skus.has(sku))).toBe(true);
    }
    for (const { customer_id, order_id, opened_at, closed_at, status } of tickets) {
      const order = bought.get(order_id ?? 0);
      expect(order?.customer_id).toBe(customer_id);
      expect(order?.placed_at).toBeLessThan(opened_at);
      expect(closed_at === null).toBe(status !== "closed");
    }
    expect(new Set(customers.map(({ email }) => emailKey(email))).size).toBe(customers.length);
  });

  it("has a few canaries, with orders and without tickets", () => {
    const canaries = new Set(customers.filter(({ canary }) => canary).map(({ id }) => id));
    expect(canaries.size).toBe(7);
    expect(orders.some(({ customer_id }) => canaries.has(customer_id))).toBe(true);
    expect(tickets.filter(({ customer_id }) => canaries.has(customer_id))).toEqual([]);
  });

  it("has a demo customer with orders and tickets, who is not a canary", () => {
    expect(customers.find(({ id }) => id === DEMO_CUSTOMER)).toMatchObject({ canary: false });
    const own = (each: { customer_id: number }) => each.customer_id === DEMO_CUSTOMER;
    expect(orders.filter(own)).toHaveLength(12);
    expect(tickets.filter(own).length).toBeGreaterThan(0);
  });

  it.each([1, 2, 3])("of seed %i has injected tickets, and only those are flagged", (seed) => {
    const desk = sampleDesk({ ...size, seed });
    const attacks = desk.tickets.filter(({ body }) =>
      injections.some((injection) => body.includes(injection)),
    );
    const flagged = desk.tickets.filter(
      ({ subject, body }) => scanForInjection(`${subject}\n${body}`).length > 0,
    );
    expect(attacks.length).toBeGreaterThan(5);
    expect(flagged).toEqual(attacks);
  });
});
