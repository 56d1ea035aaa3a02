// The requests of lab soak.

import type { Chance } from "../../cli/sample/chance.ts";
import type { World } from "../attack/world.ts";
import { type Sent, legacy, modern, rpc } from "../support/requests.ts";

/** One request, and how many calls it holds. */
export interface Planned {
  request: Sent;
  calls: number;
  /** Names requests whose answers must be equal; undefined if each is different. */
  sameAs: string | undefined;
}

type Message = [method: string, params: object];
const call = (name: string, args: object): Message => ["tools/call", { name, arguments: args }];

const QUERIES = ["wireless keyboard", "cotton shirt", "desk lamp", "travel mug", "garden hose"];
/** Few products and people, because reading many is what the policy stops. */
const PRODUCTS = 10;
const PEOPLE = 2;

export const ROLES = ["shopper", "support", "inventory"] as const;
type Role = (typeof ROLES)[number];

/** Returns the reads of each role. They include mistakes, discovery, a resource and a prompt. */
function readsOf({ skus, customers }: World, written: string): Record<Role, Message[]> {
  const products = skus.filter((sku) => sku !== written).slice(0, PRODUCTS);
  const catalog: Message[] = [
    ...QUERIES.map((query) => call("search_products", { query, limit: 3 })),
    ...products.map((sku) => call("get_product", { sku })),
    call("query_stock", { skus: products.slice(0, 3) }),
    call("list_categories", {}),
    call("search_products", { query: 7 }),
    call("get_product", { sku: "SKU-0" }),
    call("no_such_tool", {}),
    ["tools/list", {}],
    ["resources/list", {}],
    ["resources/read", { uri: "catalog://categories" }],
    ["prompts/get", { name: "compare_products", arguments: { skus: products.slice(0, 2).join(",") } }],
  ];
  const people = customers
    .slice(0, PEOPLE)
    .flatMap(({ id }) => [
      call("get_customer", { customer_id: id }),
      call("get_customer_orders", { customer_id: id }),
    ]);
  return { shopper: catalog, support: [...people, ...people, ...catalog], inventory: catalog };
}

/** How often a member of the stock keepers writes. */
const WRITE_EACH = 4;
const BATCH_EACH = 12;

/** Returns a way to plan the next request of a caller. `place` is whose stock goes up and down. */
export function mixOf(world: World, place: { sku: string; warehouse: string }) {
  const reads = readsOf(world, place.sku);
  let writes = 0;
  return (role: Role, key: string, random: Chance): Planned => {
    const isModern = random.between(0, 1) === 1;
    const era = isModern ? "modern" : "legacy";
    const signed = (request: Sent): Sent => ({
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${key}` },
    });
    const send = (message: Message): Sent =>
      signed(isModern ? modern("/mcp", message) : legacy("/mcp", rpc(message, 1)));
    if (role === "inventory" && random.between(1, WRITE_EACH) === 1) {
      const args = {
        changes: [{ ...place, delta: writes++ % 2 === 0 ? -1 : 1 }],
        reason: "An order",
        idempotency_key: `soak-${writes}`,
      };
      return { request: send(call("update_inventory", args)), calls: 1, sameAs: undefined };
    }
    if (random.between(1, BATCH_EACH) === 1) {
      const at = random.between(0, 2);
      const messages = reads.shopper.slice(at, at + 3);
      const body = messages.map((message, id) => rpc(message, id));
      return { request: signed(legacy("/mcp", body)), calls: messages.length, sameAs: `batch ${at}` };
    }
    const message = random.oneOf(reads[role]);
    // Lists depend on the role.
    return { request: send(message), calls: 1, sameAs: `${era} ${role} ${JSON.stringify(message)}` };
  };
}
