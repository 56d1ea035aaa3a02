import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { generateProducts } from "../../../cli/sample/generate.ts";
import { app } from "../../../src/app.ts";
import { DEPLOYED, ORIGIN, answers, bearer, form, send } from "../identity/support/deployed.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { fill } from "../support/catalog.ts";

// The busiest minute of many people behind few addresses, through the whole Worker. Whole days are in
// test/node/guard/honest-days.test.ts.

const SETTINGS = { ...DEPLOYED, PUBLIC_CATALOG: "on" };
const products = [...generateProducts(500, 1)];
const WORDS = [
  "keyboard",
  "mouse",
  "lamp",
  "jacket",
  "desk",
  "shirt",
  "bottle",
  "charger",
  "shoes",
  "monitor",
];

beforeAll(() => fill(products), 60_000);

interface Person {
  address: string;
  key?: string | undefined;
}

const page = z.looseObject({ products: z.array(z.unknown()), next_cursor: z.string().optional() });
const result = z.looseObject({ isError: z.boolean().optional(), structuredContent: z.unknown().optional() });

/** The client connects, its person searches and compares three products with their stock, all at once. Gives what was refused. */
async function work({ address, key }: Person, place: number): Promise<unknown[]> {
  const ask = async (method: string, params: object) => {
    const request = new Request(ORIGIN + (key === undefined ? "/mcp/public" : "/mcp"), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        host: new URL(ORIGIN).host,
        "cf-connecting-ip": address,
        ...(key !== undefined && bearer(key)),
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    // Metrics are sent a second behind an answer, for which nobody waits.
    const ctx = createExecutionContext();
    const response = await app.fetch(request, { ...env, ctx, ...SETTINGS }, ctx);
    const [message] = await answers(response);
    return message?.result ?? { isError: true, message };
  };
  const call = async (name: string, args: object) =>
    result.parse(await ask("tools/call", { name, arguments: args }));
  const listed = await ask("tools/list", {});
  const found = await call("search_products", { query: WORDS[place % WORDS.length], limit: 5 });
  const skus = [1, 2, 3].map((step) => products[(place * 3 + step) % 60]?.sku);
  const compared = await Promise.all([
    ...skus.map((sku) => call("get_product", { sku })),
    call("query_stock", { skus }),
  ]);
  const shown = page.safeParse(found.structuredContent);
  const isWhole = shown.success && (shown.data.products.length === 5 || shown.data.next_cursor === undefined);
  return [listed, ...compared, found]
    .filter(({ isError }) => isError === true)
    .concat(isWhole ? [] : [found]);
}

const keyed = async (address: string): Promise<Person> => ({
  address,
  key: (await newKey(await newUser())).secret,
});

const all = async (people: readonly Person[]) => (await Promise.all(people.map(work))).flat();

it("an office of twenty people behind one address signs in and works at the same moment", async () => {
  const address = "192.0.2.10";
  const withKeys = await Promise.all(Array.from({ length: 12 }, () => keyed(address)));
  const signIns = withKeys.map(({ key = "" }) =>
    send("/sign-in", form({ key, next: "/account" }, { origin: ORIGIN, "cf-connecting-ip": address })),
  );
  for (const { status } of await Promise.all(signIns)) expect(status).toBe(303);
  expect(await all([...withKeys, ...Array.from({ length: 8 }, () => ({ address }))])).toEqual([]);
}, 60_000);

it("a hosted assistant's users, behind four addresses of one network, work at the same moment", async () => {
  const addresses = [11, 12, 13, 14].map((last) => `160.79.104.${last}`);
  const addressOf = (index: number) => addresses[index % 4] ?? "";
  const withKeys = await Promise.all(Array.from({ length: 8 }, (_, index) => keyed(addressOf(index))));
  const without = Array.from({ length: 24 }, (_, index) => ({ address: addressOf(index) }));
  expect(await all([...withKeys, ...without])).toEqual([]);
}, 60_000);
