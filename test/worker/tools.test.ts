import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { REFUSAL_META_KEY } from "../../src/refusal.ts";
import { fill, product, sample } from "./support/catalog.ts";
import { call, post } from "./support/clients.ts";

const many = Array.from({ length: 60 }, (_, index) =>
  product({
    sku: `NUT-${String(index).padStart(3, "0")}`,
    name: `Hex Nut ${index % 7}`,
    brand: index % 2 === 0 ? "Bolt Bros" : "Acme",
    category: "Hardware",
    price_minor: 100 + (index % 10) * 25,
    stock: index % 3 === 0 ? [] : [{ warehouse: "east", quantity: index }],
  }),
);

beforeAll(() =>
  fill([
    ...sample,
    ...many,
    product({ sku: "YEN-1", name: "Tea Whisk", brand: "365", price_minor: 1500, currency: "JPY" }),
  ]),
);

const productSchema = z.object({ sku: z.string(), name: z.string() });
const pageSchema = z.object({ products: z.array(productSchema), next_cursor: z.string().optional() });
const answerSchema = z.object({
  result: z.object({
    isError: z.boolean().optional(),
    structuredContent: z.unknown().optional(),
    content: z.tuple([z.object({ type: z.literal("text"), text: z.string() })]),
    _meta: z.record(z.string(), z.unknown()).optional(),
  }),
});

async function ask(name: string, args: unknown) {
  const { messages } = await post(call(name, args));
  const { result } = answerSchema.parse(messages[0]);
  return { ...result, refusal: result._meta?.[REFUSAL_META_KEY], text: result.content[0].text };
}
const search = async (args: object) =>
  pageSchema.parse((await ask("search_products", args)).structuredContent);
const skus = async (args: object) => (await search(args)).products.map((found) => found.sku);

describe("search_products", () => {
  it("answers version 1 as name and decimal price alone", async () => {
    const { structuredContent } = await ask("search_products", { query: "wireless keyboard", version: "v1" });
    expect(structuredContent).toEqual({
      version: "v1",
      products: [{ name: "Wireless Keyboard", price: 79.99 }],
    });
  });

  it.each(["Volt", "voltway gmbh"])("refuses the unknown brand %s, with real ones", async (brand) => {
    const { refusal, text } = await ask("search_products", { query: "keyboard", brand });
    expect(refusal).toMatchObject({ code: "invalid_arguments", hints: { brands: expect.anything() } });
    expect(text).toContain("Nearest: Voltway");
  });

  it.each([
    ["words", { query: "zzzz" }],
    ["a known brand", { query: "zzzz", brand: "voltWAY" }],
    ["a known brand without letters", { query: "zzzz", brand: "365" }],
  ])("says where to look if nothing matches %s", async (_, args) => {
    expect((await ask("search_products", args)).text).toContain("list_categories");
  });

  it("counts the filters of a query", async () => {
    const { structuredContent, text } = await ask("search_products", { query: "hex nut", facets: true });
    const { facets } = z.object({ facets: z.record(z.string(), z.unknown()) }).parse(structuredContent);
    expect(facets).toMatchObject({
      counted: 60,
      complete: true,
      categories: [{ name: "Hardware", products: 60 }],
      brands: [
        { name: "Acme", products: 30 },
        { name: "Bolt Bros", products: 30 },
      ],
      prices: [
        { currency: "USD", from: 0, to: 2, products: 24 },
        { currency: "USD", from: 2, to: 4, products: 36 },
      ],
    });
    expect(text).toContain("Brands: Acme (30), Bolt Bros (30)");
  });

  it("counts the filters of the whole catalog if no query is given", async () => {
    const { structuredContent } = await ask("search_products", { facets: true, limit: 1 });
    const answer = z
      .object({ facets: z.object({ brands: z.array(z.unknown()), categories: z.array(z.unknown()) }) })
      .parse(structuredContent);
    expect(answer.facets.categories).toContainEqual({ name: "Hardware", products: 60 });
    expect(answer.facets.brands).toContainEqual({ name: "Bolt Bros", products: 30 });
    expect(answer.facets.brands).toContainEqual({ name: "Voltway", products: 1 });
  });

  it("answers version 2 to a program that asks for it", async () => {
    const { structuredContent } = await ask("search_products", { query: "wireless keyboard", version: "v2" });
    expect(structuredContent).toEqual({
      version: "v2",
      products: [
        {
          sku: "SKU-10001",
          name: "Wireless Keyboard",
          brand: "Voltway",
          category: "Electronics",
          price: { amount_minor: 7999, currency: "USD", formatted: "$79.99" },
          availability: "in_stock",
        },
      ],
    });
  });

  it("keeps a currency without minor units whole", async () => {
    const v1 = await ask("search_products", { query: "whisk", version: "v1" });
    expect(v1.structuredContent).toMatchObject({ products: [{ price: 1500 }] });
    expect(await skus({ query: "whisk", min_price: 1500, max_price: 1500 })).toEqual(["YEN-1"]);
    expect(await skus({ query: "whisk", max_price: 1499 })).toEqual([]);
  });

  it.each([
    ["category", { query: "nut keyboard", category: "Electronics" }, ["SKU-10001"]],
    ["category in another case", { query: "keyboard", category: "electronics" }, ["SKU-10001"]],
    ["brand in another case", { query: "keyboard", brand: "voltway" }, ["SKU-10001"]],
    ["brand that does not fit", { query: "keyboard", brand: "Acme" }, []],
    ["both borders of the price", { query: "keyboard", min_price: 79.99, max_price: 79.99 }, ["SKU-10001"]],
    ["a price just above", { query: "keyboard", min_price: 80 }, []],
    ["a price just below", { query: "keyboard", max_price: 79.98 }, []],
    ["in stock", { query: "travel dock", in_stock: true }, []],
    ["not in stock", { query: "travel dock", in_stock: false }, ["SKU-12847"]],
  ])("filters by %s", async (_, args, expected) => {
    expect(await skus(args)).toEqual(expected);
  });

  it("refuses an unknown category and lists the valid ones", async () => {
    const { isError, refusal, structuredContent } = await ask("search_products", {
      query: "x",
      category: "Nope",
    });
    expect(isError).toBe(true);
    expect(structuredContent).toBeUndefined();
    expect(refusal).toMatchObject({
      code: "invalid_arguments",
      retryable: false,
      hints: { categories: ["Clothing", "Electronics", "Hardware", "Home", "Things"] },
    });
  });

  it.each(["relevance", "price_asc", "price_desc", "name"])(
    "pages through everything once, sorted by %s",
    async (sort) => {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await search({ query: "nut", sort, limit: 7, ...(cursor !== undefined && { cursor }) });
        expect(page.products.length).toBeLessThanOrEqual(7);
        seen.push(...page.products.map((found) => found.sku));
        cursor = page.next_cursor;
      } while (cursor !== undefined);
      expect(seen.toSorted()).toEqual(many.map(({ sku }) => sku).toSorted());
      const byPrice = new Map(many.map(({ sku, price_minor }) => [sku, price_minor]));
      const prices = seen.map((sku) => byPrice.get(sku) ?? 0);
      const cheapFirst = prices.toSorted((a, b) => a - b);
      if (sort === "price_asc") expect(prices).toEqual(cheapFirst);
      if (sort === "price_desc") expect(prices).toEqual(cheapFirst.toReversed());
    },
  );

  it.each(["relevance", "price_asc", "price_desc", "name"])(
    "puts only shown values into a cursor sorted by %s, and no row number",
    async (sort) => {
      const { products, next_cursor = "" } = await search({ query: "nut", sort, limit: 5 });
      const [form, , position] = JSON.parse(Buffer.from(next_cursor, "base64url").toString("utf8"));
      expect(form).toBe(2);
      expect(position).toHaveLength(2);
      expect(position[1]).toBe(products.at(-1)?.sku);
      if (sort === "relevance") expect(position[0]).toBe(5);
    },
  );

  it("refuses a cursor of an earlier release, which held a row number", async () => {
    const cursor = Buffer.from('["abcdefghijkl",[1.5,"17"]]').toString("base64url");
    expect((await ask("search_products", { query: "nut", cursor })).refusal).toMatchObject({
      code: "invalid_arguments",
    });
  });

  it.each([
    ["another query", { query: "hex nut" }],
    ["another sort", { query: "nut", sort: "name" }],
    ["another filter", { query: "nut", in_stock: true }],
  ])("refuses a cursor given with %s", async (_, args) => {
    const { next_cursor } = await search({ query: "nut", limit: 5 });
    const { refusal } = await ask("search_products", { ...args, cursor: next_cursor });
    expect(refusal).toMatchObject({ code: "invalid_arguments" });
  });

  it.each(["!", "e30", "W10", Buffer.from('["x",[1,2]]').toString("base64url"), "A".repeat(1_001)])(
    "refuses the made-up cursor %s",
    async (cursor) => {
      expect((await ask("search_products", { query: "nut", cursor })).refusal).toMatchObject({
        code: "invalid_arguments",
      });
    },
  );

  it.each([
    '"',
    '" OR "',
    "a* NEAR b",
    "🙂",
    '"'.repeat(100),
    "-",
    "nut) UNION SELECT",
    "sku:x",
    "^nut",
    "{a b}: c",
  ])("takes %s as text", async (query) => {
    expect((await ask("search_products", { query })).isError ?? false).toBe(false);
  });

  it.each([
    ["an empty query", { query: "  " }],
    ["101 characters", { query: "x".repeat(101) }],
    ["a number", { query: 7 }],
    ["limit 51", { query: "x", limit: 51 }],
    ["limit 0", { query: "x", limit: 0 }],
    ["a fractional limit", { query: "x", limit: 1.5 }],
    ["a negative price", { query: "x", min_price: -1 }],
    ["a reversed price range", { query: "x", min_price: 2, max_price: 1 }],
    ["an unknown sort", { query: "x", sort: "cost" }],
    ["version 4", { query: "x", version: "v4" }],
    ["an unknown argument", { query: "x", supplier_id: "S-1" }],
  ])("refuses %s", async (_, args) => {
    const { isError, refusal } = await ask("search_products", args);
    expect(isError).toBe(true);
    expect(refusal).toMatchObject({ code: "invalid_arguments" });
  });
});

describe("get_product", () => {
  it("answers the public fields", async () => {
    const { structuredContent } = await ask("get_product", { sku: " SKU-10001 " });
    expect(structuredContent).toEqual({
      sku: "SKU-10001",
      name: "Wireless Keyboard",
      brand: "Voltway",
      category: "Electronics",
      price: { amount_minor: 7999, currency: "USD", formatted: "$79.99" },
      availability: "in_stock",
      model: "PT-1",
      description: "Full-size wireless keyboard.",
      gtin: "",
      images: [],
      attributes: { layout: "US", keys: 104, backlit: true },
      truncated: false,
    });
  });
});

describe("query_stock", () => {
  it("answers one product as a flat object", async () => {
    const { structuredContent } = await ask("query_stock", { sku: "SKU-10001" });
    expect(structuredContent).toEqual({
      sku: "SKU-10001",
      status: "active",
      availability: "in_stock",
      stock: 36,
      available: 36,
      warehouses: [
        { warehouse: "east", quantity: 12, available: 12, version: 1 },
        { warehouse: "west", quantity: 24, available: 24, version: 1 },
      ],
      as_of: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
  });

  it("answers zero stock for a discontinued product, whatever its rows hold", async () => {
    const { structuredContent } = await ask("query_stock", { sku: "SKU-12847" });
    expect(structuredContent).toMatchObject({ status: "discontinued", stock: 0, warehouses: [] });
  });

  it("answers many at once, with those it did not find", async () => {
    const { structuredContent } = await ask("query_stock", {
      skus: ["SKU-10003", "SKU-1", "SKU-10002", "SKU-10003"],
    });
    expect(structuredContent).toMatchObject({
      items: [
        { sku: "SKU-10003", stock: null },
        { sku: "SKU-10002", stock: 3 },
      ],
      not_found: [{ sku: "SKU-1" }],
    });
  });

  it.each([
    ["a wrong ending", "SKU-10009", "SKU-10001"],
    ["a wrong prefix", "XYZ-12847", "SKU-12847"],
    ["no prefix", "12847", "SKU-12847"],
    ["another case", "sku-12847", "SKU-12847"],
  ])("suggests the nearest real SKUs for %s", async (_, sku, nearest) => {
    const { refusal } = await ask("query_stock", { sku });
    expect(refusal).toMatchObject({
      code: "not_found",
      hints: { nearest_skus: expect.arrayContaining([nearest]) },
    });
  });

  it.each([
    ["neither", {}],
    ["both", { sku: "a", skus: ["b"] }],
    ["none", { skus: [] }],
    ["51", { skus: Array.from({ length: 51 }, (_, index) => `S${index}`) }],
    ["65 characters", { sku: "x".repeat(65) }],
  ])("refuses %s", async (_, args) => {
    expect((await ask("query_stock", args)).refusal).toMatchObject({ code: "invalid_arguments" });
  });
});

describe("list_categories", () => {
  it("counts active products", async () => {
    const { structuredContent } = await ask("list_categories", {});
    expect(structuredContent).toEqual({
      categories: [
        { name: "Clothing", products: 1 },
        { name: "Electronics", products: 1 },
        { name: "Hardware", products: 60 },
        { name: "Home", products: 1 },
        { name: "Things", products: 1 },
      ],
    });
  });
});
