import { listDurableObjectIds } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { generateProducts } from "../../../cli/sample/generate.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { DEPLOYED, ORIGIN, answers, form, post, send } from "../identity/support/deployed.ts";
import { fill } from "../support/catalog.ts";

const SETTINGS = { ...DEPLOYED, PUBLIC_CATALOG: "on" };
const url = `${ORIGIN}/mcp/public`;
const products = [...generateProducts(2_000, 1)];
const skus = products.map(({ sku }) => sku);
const groups = new Map(products.map(({ sku, group }) => [sku, group?.id]));
/** Returns the number of products among SKUs. The budget takes all variants of a group for one product. */
const productsIn = (found: readonly string[]) => new Set(found.map((sku) => groups.get(sku) ?? sku)).size;

beforeAll(() => fill(products), 60_000);
beforeEach(() => {
  vi.useRealTimers();
});

let networks = 0;
/** Returns a /48 that no other test uses. */
const newNetwork = () => `2001:db8:${(++networks).toString(16)}`;
const newAddress = () => `${newNetwork()}:1::1`;

const call = (name: string, args: object) => ({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name, arguments: args },
});
const ask = (address: string, body: object) =>
  post(body, { "cf-connecting-ip": address }, { url, settings: SETTINGS });

const resultSchema = z.looseObject({
  isError: z.boolean().optional(),
  structuredContent: z
    .looseObject({ products: z.array(z.unknown()).optional(), items: z.array(z.unknown()).optional() })
    .optional(),
});

/** Returns the number of products in an answer; undefined if it is a refusal. */
async function answered(address: string, name: string, args: object): Promise<number | undefined> {
  const [message] = await answers(await ask(address, call(name, args)));
  const { isError, structuredContent } = resultSchema.parse(message?.result);
  if (isError === true) return undefined;
  const { products: found, items } = structuredContent ?? {};
  return (found ?? items ?? [structuredContent]).length;
}

/** Reads products by number, fifty at a time; returns the SKUs that were answered. */
async function take(address: string, from: number, to: number): Promise<string[]> {
  const taken: string[] = [];
  for (let at = from; at < to; at += 50) {
    const page = skus.slice(at, Math.min(at + 50, to));
    const found = await answered(address, "query_stock", { skus: page });
    if (found === undefined) continue;
    expect(found).toBe(page.length);
    taken.push(...page);
  }
  return taken;
}

describe("anonymous discovery", () => {
  const methods = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];

  it("creates no object, however many addresses call", async () => {
    const before = (await listDurableObjectIds(env.USER_WINDOWS)).length;
    const network = newNetwork();
    for (let place = 0; place < 20; place++) {
      for (const method of methods) {
        const response = await ask(`${network}:${place.toString(16)}::1`, { jsonrpc: "2.0", id: 1, method });
        expect((await answers(response))[0]?.result).toBeDefined();
      }
    }
    expect(await listDurableObjectIds(env.USER_WINDOWS)).toHaveLength(before);
  });

  it("is limited by address, and limits nothing else of that address", async () => {
    const address = newAddress();
    const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
    const codes: (string | undefined)[] = [];
    for (let sent = 0; sent < 4; sent++) {
      const batch = Array.from({ length: 100 }, (_, id) => ({ ...list, id }));
      codes.push(...(await answers(await ask(address, batch))).map(({ error }) => error?.data.code));
    }
    const { max } = policyInForce().roles["anonymous"]?.limits?.discovery ?? { max: 0 };
    expect(codes.filter((code) => code === undefined).length).toBeGreaterThanOrEqual(max);
    expect(codes).toContain("rate_limited");

    expect(await answered(address, "search_products", { query: "keyboard" })).toBeGreaterThan(0);
    const headers = { "cf-connecting-ip": address, origin: ORIGIN };
    expect((await send("/sign-in", form({ key: "pcm_x" }, headers))).status).toBe(401);
    const token = form({ grant_type: "refresh_token", client_id: "x", refresh_token: "a:b:c" }, headers);
    expect((await send("/oauth/token", token)).status).toBe(401);
    expect((await send("/authorize?client_id=x", { headers })).status).toBe(400);
    const registration = {
      method: "POST",
      headers: { "content-type": "application/json", "cf-connecting-ip": address },
      body: JSON.stringify({ client_name: "x", redirect_uris: ["https://client.example/callback"] }),
    };
    expect((await send("/oauth/register", registration)).status).toBe(201);
  });
});

describe("a shared address past its budget of products", () => {
  it("gets small pages and single products, and whole pages again within minutes", async () => {
    const address = newAddress();
    expect(await take(address, 0, 299)).toHaveLength(299);
    expect(await answered(address, "query_stock", { skus: skus.slice(300, 350) })).toBeUndefined();
    expect(await answered(address, "search_products", { query: "keyboard", limit: 10 })).toBe(3);
    expect(await answered(address, "get_product", { sku: skus[400] })).toBe(1);
    expect(await answered(address, "query_stock", { sku: skus[401] })).toBe(1);
    vi.setSystemTime(Date.now() + 11 * 60_000);
    expect(await answered(address, "search_products", { query: "keyboard", limit: 10 })).toBe(10);
  });

  it("does not slow another address of the network", async () => {
    const network = newNetwork();
    await take(`${network}:1::1`, 0, 299);
    expect(await answered(`${network}:2::1`, "search_products", { query: "keyboard", limit: 10 })).toBe(10);
  });
});

describe("the addresses of one network", () => {
  it.each([
    ["an IPv6 /48", (place: number) => `2001:db8:ffff:${place.toString(16)}::1`],
    ["an IPv4 /24", (place: number) => `198.18.7.${place}`],
  ])(
    "together take no more than the budget of %s, by whole pages or single products",
    async (_, address) => {
      const taken: string[] = [];
      for (let place = 1; place <= 10; place++)
        taken.push(...(await take(address(place), (place - 1) * 190, place * 190)));
      // 500 an hour, plus at most the page that passes the limit.
      expect(productsIn(taken)).toBeLessThanOrEqual(500);
      expect(productsIn(taken)).toBeGreaterThan(400);
      const tried = skus.slice(1_920, 1_960);
      const single: string[] = [];
      for (const [index, sku] of tried.entries())
        if ((await answered(address(100 + index), "get_product", { sku })) === 1) single.push(sku);
      expect(single.length).toBeLessThan(tried.length);
      expect(productsIn([...taken, ...single])).toBeLessThanOrEqual(500);
      // Another network is not affected.
      expect(await answered(newAddress(), "get_product", { sku: skus[1_990] })).toBe(1);
    },
    30_000,
  );
});
