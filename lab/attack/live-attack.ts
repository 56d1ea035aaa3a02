import type { Trace } from "../../cli/replay/read-traces.ts";
import { ATTACK_NAMES, generateTraces } from "../generate-traces/families.ts";
import type { World } from "./world.ts";

export interface LiveCall {
  tool: string;
  arguments: Record<string, unknown>;
}

interface Statement {
  sql: string;
  values: (string | number | null)[];
}

interface LiveAttack {
  role: "support" | "shopper";
  /** Returns statements that make the tickets which the calls read, before the user makes them. */
  prepare: (user: string) => Statement[];
  /** The calls of one inner list are made at once. */
  calls: LiveCall[][];
}

/** Attacks that only exist live, because traces hold no text and no planted record. */
const LIVE_ONLY: Record<string, (world: World) => LiveCall[]> = {
  canary: ({ canary }) => [{ tool: "get_customer", arguments: { customer_id: canary } }],
  "tainted-write": ({ injectedTicket, openTicket }) => [
    { tool: "get_ticket", arguments: { ticket_id: injectedTicket } },
    { tool: "close_ticket", arguments: { ticket_id: openTicket, resolution: "Refunded" } },
  ],
};

export const LIVE_FAMILIES: readonly string[] = [...ATTACK_NAMES, ...Object.keys(LIVE_ONLY)];

/** Builds a family's calls about the records of a server; the same for the same seed. */
export function attackCalls(family: string, seed: number, world: World): LiveAttack {
  const own = LIVE_ONLY[family];
  if (own !== undefined)
    return { role: "support", prepare: () => [], calls: own(world).map((call) => [call]) };
  const [trace] = [...generateTraces(family, 1, seed)];
  if (trace === undefined) throw new Error(`There is no attack named ${family}.`);
  const together = Map.groupBy(trace.calls, ({ at_ms }) => at_ms).values();
  const { translate, tickets } = translator(world);
  const role = trace.principal.role === "shopper" ? "shopper" : "support";
  const calls = [...together].map((each) => each.map(translate));
  return { role, prepare: (user) => tickets.map((ticket) => ticket(user)), calls };
}

type TraceCall = Trace["calls"][number];

/** The first number for records that do not exist, far from existing ones; neighbours stay neighbours. */
const NOBODY = 90_000_000;

/**
 * Maps a trace's calls to the people and products of a server: the first id seen becomes the server's first,
 * and so on.
 */
function translator(world: World) {
  const customers = inOrder(world.customers);
  const products = inOrder(world.skus);
  const orders = new Map<string, string>();
  const tickets: ((user: string) => Statement)[] = [];

  /** Makes a ticket of the call's customer whose text shows the same people's email addresses as in the trace. */
  function ticketOf({ result }: TraceCall): string {
    const id = TICKETS + tickets.length;
    const owner = customers(result.subjects[0])?.id.slice(2) ?? null;
    const emails = (result.shown ?? []).flatMap((shown) => {
      const named = typeof shown.email === "string" ? customers(customerAt(shown.email)) : undefined;
      return named === undefined ? [] : [named.email];
    });
    tickets.push((user) => ({
      sql: `INSERT OR REPLACE INTO tickets (id, customer_id, topic, status, subject, body, opened_at, assignee)
            VALUES (?, ?, 'account', 'open', 'Our members', ?, ?, ?)`,
      values: [id, owner, emails.join(", "), id, result.assigned === true ? user : null],
    }));
    return `T-${id}`;
  }

  const customerOf = ({ result }: TraceCall) => customers(result.subjects[0]);
  const skuOf = (id: unknown, call: TraceCall) =>
    call.result.error || typeof id !== "string" ? `NONE-${numberIn(id)}` : (products(id) ?? `NONE-${id}`);

  function orderOf(call: TraceCall): string {
    const asked = String(call.arguments["order_id"]);
    const known = orders.get(asked);
    if (known !== undefined) return known;
    const theirs = customerOf(call)?.orders ?? [];
    const next = theirs.find((id) => ![...orders.values()].includes(id)) ?? theirs[0];
    const order = next ?? `O-${NOBODY + numberIn(asked)}`;
    orders.set(asked, order);
    return order;
  }

  const translate = (call: TraceCall): LiveCall => {
    const { tool, arguments: args } = call;
    switch (tool) {
      case "search_customers": {
        const customer = customerOf(call);
        if (customer === undefined) return { tool, arguments: { email: "nobody@nowhere.example" } };
        const { email, lastName, postcode } = customer;
        return { tool, arguments: "email" in args ? { email } : { name: lastName, postcode } };
      }
      case "get_customer":
      case "get_customer_orders":
      case "get_payment_methods":
        return {
          tool,
          arguments: { customer_id: customerOf(call)?.id ?? `C-${NOBODY + numberIn(args["customer_id"])}` },
        };
      case "get_ticket":
        return { tool, arguments: { ticket_id: ticketOf(call) } };
      case "get_order":
        return { tool, arguments: { order_id: orderOf(call) } };
      case "get_product":
        return { tool, arguments: { sku: skuOf(args["id"] ?? args["sku"], call) } };
      case "query_stock": {
        const skus = Array.isArray(args["skus"]) ? args["skus"] : [args["sku"] ?? args["id"]];
        return { tool, arguments: { skus: skus.slice(0, 50).map((id: unknown) => skuOf(id, call)) } };
      }
      case "search_products":
        return { tool, arguments: { query: QUERIES[numberIn(args["query"]) % QUERIES.length], limit: 50 } };
      default:
        return { tool, arguments: {} };
    }
  };
  return { translate, tickets };
}

/** The first number for tickets that an attack makes. */
const TICKETS = 80_000_000;
/** Returns the customer of a trace whose email address it is. */
const customerAt = (email: string): string => `customer-${100_000 + numberIn(email)}`;

const QUERIES = "wireless keyboard cotton lamp travel kitchen garden steel kids pro".split(" ");

/** Hands out items in the order in which ids are first seen; undefined when none is left. */
function inOrder<T>(all: readonly T[]): (id: string | undefined) => T | undefined {
  const given = new Map<string, T | undefined>();
  return (id) => {
    if (id === undefined) return undefined;
    if (!given.has(id)) given.set(id, all[given.size]);
    return given.get(id);
  };
}

const numberIn = (id: unknown): number => Number(/\d{1,7}(?=\D*$)/.exec(String(id))?.[0] ?? 0);
