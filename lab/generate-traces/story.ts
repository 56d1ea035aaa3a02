import type { Trace } from "../../cli/replay/read-traces.ts";
import { chance } from "../../cli/sample/chance.ts";

type Call = Trace["calls"][number];
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const CATALOG = 4_000;
export const CUSTOMERS = 5_000;

/** Generates a caller's calls: a clock, chance, and the tools of a support desk and a shop. */
export class Story {
  readonly calls: Call[] = [];
  now = 0;
  readonly #role: string;
  /** A whole number, both ends included. */
  readonly int: (from: number, to: number) => number;

  constructor(seed: number, role: "support" | "shopper") {
    this.int = chance(seed).between;
    this.#role = role;
    // Generators with neighbouring seeds begin alike, so the first numbers are skipped.
    for (let skipped = 0; skipped < 16; skipped++) this.int(0, 1);
  }

  chance = (share: number): boolean => this.int(0, 9_999) < share * 10_000;
  pick<T>(from: readonly T[], otherwise: T): T {
    return from[this.int(0, Math.max(0, from.length - 1))] ?? otherwise;
  }
  shuffled<T>(all: readonly T[]): T[] {
    const left = [...all];
    return all.flatMap(() => left.splice(this.int(0, left.length - 1), 1));
  }
  /** Returns `count` different numbers below a limit. */
  numbers(count: number, below: number): number[] {
    const found = new Set<number>();
    while (found.size < count) found.add(this.int(0, below - 1));
    return [...found];
  }
  wait(from: number, to: number = from): void {
    this.now += this.int(Math.round(from), Math.round(to));
  }
  /** Makes calls without waiting for answers: all have the same time. */
  together(work: () => void): void {
    const begun = this.now;
    work();
    for (const call of this.calls) if (call.at_ms > begun) call.at_ms = begun;
    this.now = begun;
  }

  trace(id: string, label: "benign" | "attack", family: string): Trace {
    const principal = { id, role: this.#role };
    return { id, label, family, catalog_size: CATALOG, principal, calls: this.calls };
  }

  #add(tool: string, args: Call["arguments"], held: Partial<Call["result"]>): void {
    const { subjects = [], products = [], error = false, ...more } = held;
    const records = held.records ?? Math.max(1, subjects.length, products.length);
    this.calls.push({
      at_ms: this.now,
      tool,
      arguments: args,
      result: { ...more, records, subjects, products, bytes: error ? 0 : records * 600, error },
    });
    this.wait(SECOND, 5 * SECOND);
  }

  #customers = (
    tool: string,
    args: Call["arguments"],
    subjects: readonly number[],
    more: Partial<Call["result"]> = {},
  ) => this.#add(tool, args, { ...more, subjects: subjects.map(customerId) });
  #about = (tool: string, customer: number) =>
    this.#customers(tool, { customer_id: customerId(customer) }, [customer]);

  search = (customer: number) => this.#customers("search_customers", emailOf(customer), [customer]);
  searchByName = (customer: number) => this.#customers("search_customers", nameOf(customer), [customer]);
  /** Finds a customer as half of the callers in the shared traces name themselves: by email, or by name and postcode. */
  find = (customer: number) => (this.chance(0.5) ? this.search(customer) : this.searchByName(customer));
  searchMany = (name: string, found: readonly number[]) =>
    this.#customers("search_customers", { name }, found);
  searchMiss = () => this.#add("search_customers", { email: `${this.int(0, 1e9)}@example` }, { error: true });
  close = (ticket: number) =>
    this.#add("close_ticket", { ticket_id: `T-${5_001 + ticket}`, resolution: "Done" }, { records: 1 });
  customer = (customer: number) =>
    this.#customers("get_customer", { customer_id: customerId(customer) }, [customer], {
      shown: [emailOf(customer), nameOf(customer)],
    });
  /** Reads a ticket of the customer's, whose text shows the email addresses of others. */
  ticket = (
    customer: number,
    { assigned = false, others = [] }: { assigned?: boolean; others?: number[] } = {},
  ) =>
    this.#customers("get_ticket", { ticket_id: `T-${5_001 + customer}` }, [customer], {
      assigned,
      shown: others.map(emailOf),
    });
  orders = (customer: number) => this.#about("get_customer_orders", customer);
  payments = (customer: number) => this.#about("get_payment_methods", customer);
  /** Looks up a customer number that may not exist. */
  guessCustomer = (tool: string, number: number, exists: boolean) =>
    exists
      ? this.#about(tool, number)
      : this.#add(tool, { customer_id: customerId(number) }, { error: true });
  /** Returns one of the customer's orders. Their numbers look random. */
  order = (customer: number, which = this.int(0, 4)) =>
    this.guessOrder(1_000_000 + (((customer * 8 + which) * 7_654_321) % 9_000_000), customer);
  guessOrder = (number: number, customer: number | undefined) =>
    customer === undefined
      ? this.#add("get_order", { order_id: `#W${number}` }, { error: true })
      : this.#customers("get_order", { order_id: `#W${number}` }, [customer]);
  product = (product: number) => this.#add("get_product", { id: sku(product) }, { products: [sku(product)] });
  productMiss = (product: number) => this.#add("get_product", { id: `none-${product}` }, { error: true });
  stock = (products: readonly number[]) =>
    this.#add("query_stock", { skus: products.map(sku) }, { products: products.map(sku) });
  searchProducts = (query: string, found: readonly number[]) =>
    this.#add("search_products", { query }, { products: found.map(sku) });
  categories = () => this.#add("list_categories", {}, { records: 50 });
}

const emailOf = (customer: number) => ({ email: `${customer}@example.com` });
const nameOf = (customer: number) => ({ name: `Person ${customer}`, postcode: String(10_000 + customer) });
const customerId = (number: number) => `customer-${100_000 + number}`;
const sku = (number: number) => `sku-${String(number).padStart(5, "0")}`;
