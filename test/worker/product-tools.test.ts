import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { generateProducts } from "../../cli/sample/generate.ts";
import { fill, product } from "./support/catalog.ts";
import { ask } from "./support/desk.ts";

// The tools' answers about variants, sales and unknown stock: both halves of each are complete.

const SHIRTS = ["S", "M", "L"].map((size, index) =>
  product({
    sku: `SHIRT-${size}`,
    name: "Oxford Shirt",
    category: "Clothing > Shirts",
    group: { id: "oxford", name: "Oxford Shirt" },
    options: { Size: size },
    price_minor: 4_000 + index * 500,
    url: `https://shop.example/oxford?size=${size}`,
    images: [`https://shop.example/oxford-${size}.jpg`, "https://shop.example/back.jpg"],
    gtin: `0400638133393${index}`,
    rating: { value: 4.5, count: 12 },
    condition: "new",
    stock: [{ warehouse: "east", quantity: index }],
    ...(index === 2 && { sale: { price_minor: 3_500 } }),
  }),
);

beforeAll(() =>
  fill([
    ...generateProducts(20, 1),
    ...SHIRTS,
    product({ sku: "TEA-1", name: "Mystery Teapot", stock: undefined }),
    product({ sku: "TEA-2", name: "Coming Teapot", availability: "preorder", available_from: "2027-02-01" }),
  ]),
);

/** Every word and number of an answer, but not the names of its fields. */
function leaves(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [String(value)];
  return Object.entries(value).flatMap(([name, each]) =>
    // A formatted price says both of its parts; an empty list of cut text says nothing.
    name === "amount_minor" || name === "currency" || each === false ? [] : leaves(each),
  );
}

describe("search_products", () => {
  it("shows one hit with link, both prices, rating and the range of its variants, in both halves", async () => {
    const { value, text } = await ask({}, "search_products", {
      query: "oxford shirt l",
      category: "Clothing > Shirts",
    });
    expect(value).toEqual({
      version: "v3",
      products: [
        {
          sku: "SHIRT-L",
          name: "Oxford Shirt",
          brand: "Acme",
          category: "Clothing > Shirts",
          price: { amount_minor: 3_500, currency: "USD", formatted: "$35.00" },
          list_price: { amount_minor: 5_000, currency: "USD", formatted: "$50.00" },
          availability: "in_stock",
          url: "https://shop.example/oxford?size=L",
          rating: { value: 4.5, count: 12 },
          options: [{ name: "Size", value: "L" }],
          group: {
            id: "oxford",
            name: "Oxford Shirt",
            variants: 3,
            available: 2,
            price_min: { amount_minor: 3_500, currency: "USD", formatted: "$35.00" },
            price_max: { amount_minor: 4_500, currency: "USD", formatted: "$45.00" },
          },
        },
      ],
    });
    for (const leaf of leaves(z.object({ products: z.unknown() }).parse(value).products))
      expect(text).toContain(leaf);
  });

  it.each(["v1", "v2"])("keeps shape %s of version 1", async (version) => {
    const { value, text } = await ask({}, "search_products", {
      query: "oxford shirt l",
      category: "Clothing > Shirts",
      version,
    });
    const price = { amount_minor: 3_500, currency: "USD", formatted: "$35.00" };
    expect(value).toEqual({
      version,
      products: [
        version === "v1"
          ? { name: "Oxford Shirt", price: 35 }
          : {
              sku: "SHIRT-L",
              name: "Oxford Shirt",
              brand: "Acme",
              category: "Clothing > Shirts",
              price,
              availability: "in_stock",
            },
      ],
    });
    expect(text).toContain("Oxford Shirt");
  });

  it("tells version 2 that unknown stock is not in stock", async () => {
    const { value } = await ask({}, "search_products", { query: "mystery teapot", limit: 1, version: "v2" });
    expect(value).toMatchObject({ products: [{ sku: "TEA-1", availability: "out_of_stock" }] });
  });
});

describe("get_product", () => {
  it.each([
    ["a variant", { sku: "SHIRT-S" }, "SHIRT-S"],
    ["a group, whose first variant in stock it shows", { group: "oxford" }, "SHIRT-M"],
  ])("answers %s with its options and variants, in both halves", async (_, args, sku) => {
    const { value, text } = await ask({}, "get_product", args);
    expect(value).toMatchObject({
      sku,
      images: [`https://shop.example/oxford-${sku.at(-1)}.jpg`, "https://shop.example/back.jpg"],
      condition: "new",
      group: {
        id: "oxford",
        options: [
          {
            name: "Size",
            values: [
              { value: "S", availability: "out_of_stock" },
              { value: "M", availability: "in_stock" },
              { value: "L", availability: "in_stock" },
            ],
          },
        ],
        items: [
          { sku: "SHIRT-S", gtin: "04006381333930", image: "https://shop.example/oxford-S.jpg" },
          { sku: "SHIRT-M", options: [{ name: "Size", value: "M" }] },
          { sku: "SHIRT-L", list_price: { amount_minor: 5_000 }, url: "https://shop.example/oxford?size=L" },
        ],
        truncated: false,
      },
    });
    for (const leaf of leaves(value)) expect(text).toContain(leaf);
  });

  it("refuses an unknown group, and a call that names both or neither", async () => {
    expect((await ask({}, "get_product", { group: "none" })).refusal).toMatchObject({ code: "not_found" });
    for (const args of [{}, { sku: "SHIRT-S", group: "oxford" }])
      expect((await ask({}, "get_product", args)).refusal).toMatchObject({ code: "invalid_arguments" });
  });

  it("keeps version 1", async () => {
    const { value } = await ask({}, "get_product", { sku: "SHIRT-S", version: "v1" });
    expect(value).toEqual({
      sku: "SHIRT-S",
      name: "Oxford Shirt",
      brand: "Acme",
      category: "Clothing > Shirts",
      price: { amount_minor: 4_000, currency: "USD", formatted: "$40.00" },
      availability: "out_of_stock",
      model: "PT-1",
      description: "A thing.",
      gtin: "04006381333930",
      image_url: "https://shop.example/oxford-S.jpg",
      attributes: {},
      truncated: false,
    });
  });
});

describe("query_stock", () => {
  it("says that a quantity is unknown, which version 1 shows as 0", async () => {
    const now = await ask({}, "query_stock", { skus: ["TEA-1", "TEA-2"] });
    expect(now.value).toMatchObject({
      items: [
        { sku: "TEA-1", availability: "unknown", stock: null, warehouses: [] },
        { sku: "TEA-2", availability: "preorder", available_from: "2027-02-01", stock: 3 },
      ],
    });
    expect(now.text).toContain("TEA-1: active, unknown, stock unknown");
    expect(now.text).toContain("TEA-2: active, preorder from 2027-02-01, stock 3");
    const before = await ask({}, "query_stock", { sku: "TEA-1", version: "v1" });
    expect(before.value).toMatchObject({ sku: "TEA-1", status: "active", stock: 0, warehouses: [] });
    expect(before.value).not.toHaveProperty("availability");
  });
});
