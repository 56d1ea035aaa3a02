import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import * as z from "zod";
import { generateProducts } from "../../../cli/sample/generate.ts";
import { app } from "../../../src/app.ts";
import { DEPLOYED, ORIGIN, answers, bearer, form, send } from "../identity/support/deployed.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { fill } from "../support/catalog.ts";

// A day's work of many people behind few addresses, through the whole Worker, with its clock moved along. Products are asked
// for as people do: some are far more wanted than others. The catalog is small, so that every limit is at its strictest.

const SETTINGS = { ...DEPLOYED, PUBLIC_CATALOG: "on" };
const PRODUCTS = 2_000;
const products = [...generateProducts(PRODUCTS, 1)];
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
const DAY_BEGINS = Date.UTC(2027, 2, 1, 8);
const WORK_MS = 9 * 60 * 60_000;

beforeAll(() => fill(products), 60_000);
beforeEach(() => {
  vi.useRealTimers();
});

/** Numbers in [0, 1), the same in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Person {
  address: string;
  key?: string | undefined;
}

const detailsSchema = z.looseObject({
  isError: z.boolean().optional(),
  structuredContent: z.looseObject({ products: z.array(z.unknown()).optional() }).optional(),
});

/** One session of a person: its client connects, searches and looks at three products. Gives what was refused. */
async function work({ address, key }: Person, roll: () => number): Promise<unknown[]> {
  const path = key === undefined ? "/mcp/public" : "/mcp";
  const headers = { "cf-connecting-ip": address, ...(key !== undefined && bearer(key)) };
  const ask = async (method: string, params: object) => {
    const request = new Request(ORIGIN + path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        host: new URL(ORIGIN).host,
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    // Metrics are sent a second behind an answer, for which nobody waits.
    const ctx = createExecutionContext();
    const response = await app.fetch(request, { ...env, ctx, ...SETTINGS }, ctx);
    return response.status === 200 ? (await answers(response))[0] : undefined;
  };
  const wanted = () => products[Math.floor(PRODUCTS * roll() ** 3)]?.sku;
  const asked: [name: string, args: object][] = [
    ["search_products", { query: WORDS[Math.floor(WORDS.length * roll() ** 2)], limit: 5 }],
    ["get_product", { sku: wanted() }],
    ["query_stock", { skus: [wanted(), wanted()] }],
  ];
  const refused: unknown[] = [];
  const listed = await ask("tools/list", {});
  if (listed?.result === undefined) refused.push(["tools/list", listed]);
  for (const [name, args] of asked) {
    const message = await ask("tools/call", { name, arguments: args });
    const { isError, structuredContent } = detailsSchema.parse(message?.result ?? { isError: true });
    if (isError === true) refused.push(message);
    if (name === "search_products" && structuredContent?.products?.length !== 5)
      refused.push(["small page", message]);
  }
  return refused;
}

/** Sessions spread over a working day, in order of time. */
async function day(people: readonly Person[], sessions: number, seed: number): Promise<unknown[]> {
  const roll = dice(seed);
  const plan = people
    .flatMap((person) => Array.from({ length: sessions }, () => ({ person, at: roll() * WORK_MS })))
    .toSorted((a, b) => a.at - b.at);
  const refused: unknown[] = [];
  for (const { person, at } of plan) {
    vi.setSystemTime(DAY_BEGINS + at);
    refused.push(...(await work(person, roll)));
  }
  return refused;
}

const keyed = async (address: string): Promise<Person> => ({
  address,
  key: (await newKey(await newUser())).secret,
});

it("an office of twenty people behind one address works through a day untouched", async () => {
  vi.setSystemTime(DAY_BEGINS);
  const address = "192.0.2.10";
  const withKeys = await Promise.all(Array.from({ length: 12 }, () => keyed(address)));
  const without = Array.from({ length: 8 }, () => ({ address }));
  // Everybody signs in at the same time.
  for (const { key = "" } of withKeys) {
    const headers = { origin: ORIGIN, "cf-connecting-ip": address };
    expect((await send("/sign-in", form({ key, next: "/account" }, headers))).status).toBe(303);
  }
  expect(await day([...withKeys, ...without], 2, 7)).toEqual([]);
}, 240_000);

it("a hosted assistant's users, behind four addresses of one network, work through a day untouched", async () => {
  vi.setSystemTime(DAY_BEGINS + 24 * 60 * 60_000);
  const addresses = [11, 12, 13, 14].map((last) => `160.79.104.${last}`);
  const withKeys = await Promise.all(
    Array.from({ length: 40 }, (_, index) => keyed(addresses[index % 4] ?? "")),
  );
  const without = Array.from({ length: 160 }, (_, index) => ({ address: addresses[index % 4] ?? "" }));
  expect(await day([...withKeys, ...without], 1, 11)).toEqual([]);
}, 240_000);
