import { setTimeout as sleep } from "node:timers/promises";
import { Client, InsufficientScopeError, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import * as z from "zod";
import { REFUSAL_META_KEY } from "../../src/refusal.ts";
import type { World } from "../attack/world.ts";

/** An honest caller's behaviour. */
export interface Honest {
  name: string;
  role: "shopper" | "support";
  about: string;
  /** Returns call number `index`. */
  callOf: (index: number, world: World) => { tool: string; arguments: Record<string, unknown> };
}

const QUERIES = [
  "wireless keyboard",
  "cotton shirt",
  "desk lamp",
  "travel mug",
  "garden hose",
  "usb hub",
  "kids shoes",
];
const at = <T>(list: readonly T[], index: number): T => {
  const found = list[index % list.length];
  if (found === undefined) throw new Error("An empty list.");
  return found;
};

/**
 * Honest callers repeat themselves, mistype now and then, and occasionally request something that is not
 * theirs.
 */
export const HONEST: readonly Honest[] = [
  {
    name: "shop-window",
    role: "shopper",
    about: "searches, and looks at what it found",
    callOf: (index, { skus }) =>
      index % 3 === 0
        ? { tool: "search_products", arguments: { query: at(QUERIES, Math.floor(index / 3)), limit: 5 } }
        : {
            tool: "get_product",
            arguments: { sku: index % 17 === 0 ? "SKU-99999999" : at(skus, index % 20) },
          },
  },
  {
    name: "stock-bot",
    role: "shopper",
    about: "asks what is in stock; once in a while wrongly",
    callOf: (index, { skus }) =>
      index % 11 === 5
        ? { tool: "query_stock", arguments: { skus: 7 } }
        : { tool: "query_stock", arguments: { skus: skus.slice(0, 5 + (index % 5)) } },
  },
  {
    name: "gift-helper",
    role: "shopper",
    about: "browses; asks for an order that is not its to see",
    callOf: (index) =>
      index % 13 === 6
        ? { tool: "get_order", arguments: { order_id: "O-1" } }
        : index % 2 === 0
          ? { tool: "list_categories", arguments: {} }
          : { tool: "search_products", arguments: { query: at(QUERIES, index), in_stock: true } },
  },
  {
    name: "support-ada",
    role: "support",
    about: "goes through the tickets of two customers",
    callOf: (index, { customers }) => ({
      tool: at(["get_customer", "get_customer_orders", "list_tickets"], index),
      arguments:
        index % 3 === 2 ? { status: "open", limit: 5 } : { customer_id: at(customers, index % 2).id },
    }),
  },
];

export interface Tally {
  calls: number;
  /** Counts by refusal code. */
  refused: Record<string, number>;
}

const refusalSchema = z.object({ code: z.string() });

/** Returns the code that a call was refused with; undefined if it was answered. */
async function refusedAs(call: () => ReturnType<Client["callTool"]>): Promise<string | undefined> {
  try {
    const { _meta } = await call();
    return refusalSchema.safeParse(_meta?.[REFUSAL_META_KEY]).data?.code;
  } catch (error) {
    // A token without the needed scope is refused before any tool is looked up.
    if (error instanceof InsufficientScopeError) return "permission_denied";
    throw error;
  }
}

/** Makes `calls` calls evenly over a time, until it is told to stop. */
export async function behave(
  { callOf }: Honest,
  world: World,
  { url, key, calls, milliseconds }: { url: string; key: string; calls: number; milliseconds: number },
  onCall: (refused: string | undefined) => void,
): Promise<Tally> {
  const client = new Client(
    { name: "product-catalog-mcp lab traffic", version: "1" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit }));
  const tally: Tally = { calls: 0, refused: {} };
  const started = Date.now();
  for (let index = 0; index < calls; index++) {
    await sleep(Math.max(0, started + (index * milliseconds) / calls - Date.now()));
    if (Date.now() - started >= milliseconds) break;
    const { tool, arguments: args } = callOf(index, world);
    const code = await refusedAs(() => client.callTool({ name: tool, arguments: args }));
    tally.calls += 1;
    if (code !== undefined) tally.refused[code] = (tally.refused[code] ?? 0) + 1;
    onCall(code);
  }
  await client.close();
  return tally;
}
