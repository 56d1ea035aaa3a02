import type { LiveCall } from "./live-attack.ts";
import type { World } from "./world.ts";

/** An honest caller's behaviour. */
interface Honest {
  name: string;
  role: "shopper" | "support";
  about: string;
  /** Returns call number `index`. */
  callOf: (index: number, world: World) => LiveCall;
}

const QUERIES = "wireless keyboard,cotton shirt,desk lamp,travel mug,garden hose,usb hub,kids shoes".split(
  ",",
);
const at = <T>(list: readonly T[], index: number): T | undefined => list[index % list.length];
const ask = (tool: string, args: LiveCall["arguments"] = {}): LiveCall => ({ tool, arguments: args });

/**
 * Honest callers repeat themselves, mistype now and then, and occasionally request something that is not
 * theirs.
 */
export const HONEST: readonly Honest[] = [
  {
    name: "shop-window",
    role: "shopper",
    about: "searches, and looks at what it found",
    callOf(index, { skus }) {
      if (index % 3 === 0) return ask("search_products", { query: at(QUERIES, index / 3), limit: 5 });
      return ask("get_product", { sku: index % 17 === 0 ? "SKU-99999999" : at(skus, index % 20) });
    },
  },
  {
    name: "stock-bot",
    role: "shopper",
    about: "asks what is in stock; once in a while wrongly",
    callOf: (index, { skus }) =>
      ask("query_stock", { skus: index % 11 === 5 ? 7 : skus.slice(0, 5 + (index % 5)) }),
  },
  {
    name: "gift-helper",
    role: "shopper",
    about: "browses; asks for an order that is not its to see",
    callOf(index) {
      if (index % 13 === 6) return ask("get_order", { order_id: "O-1" });
      if (index % 2 === 0) return ask("list_categories");
      return ask("search_products", { query: at(QUERIES, index), in_stock: true });
    },
  },
  {
    name: "support-ada",
    role: "support",
    about: "goes through the tickets of two customers",
    callOf(index, { customers }) {
      if (index % 3 === 2) return ask("list_tickets", { status: "open", limit: 5 });
      const tool = index % 3 === 0 ? "get_customer" : "get_customer_orders";
      return ask(tool, { customer_id: at(customers, index % 2)?.id });
    },
  },
];
