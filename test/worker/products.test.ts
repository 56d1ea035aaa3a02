import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type * as z from "zod";
import type { productFields } from "../../src/catalog/import/record.ts";
import { createCatalog } from "../../src/catalog/repository.ts";
import { sortSchema } from "../../src/catalog/search/search.ts";
import type { SearchRequest } from "../../src/catalog/search/search.ts";
import { catalogSize } from "../../src/guard/catalog-size.ts";
import { createInventory } from "../../src/inventory/repository.ts";
import { between } from "../../src/catalog/import/apply.ts";
import { compareRows } from "../../src/catalog/import/compare.ts";
import { beginImport, dropImport, stageRows, stagedRow } from "../../src/catalog/import/stage.ts";
import { runBatch } from "../../src/database/run-batch.ts";
import { timedD1 } from "../../src/telemetry/timed-d1.ts";
import { fill, product } from "./support/catalog.ts";

const SALE_STARTS = Date.parse("2026-12-01T00:00:00Z");
const SALE_ENDS = Date.parse("2026-12-24T00:00:00Z");
const DURING = SALE_STARTS + 1_000;

type Fields = z.input<typeof productFields>;
const item = (sku: string, name: string, fields: Partial<Fields> = {}) => product({ sku, name, ...fields });

const colors = ["Black", "Blue"];
const sizes = ["S", "M", "L"];
const hoodies = colors.flatMap((color, row) =>
  sizes.map((size, index) =>
    item(`HOOD-${color}-${size}`, "Warm Hoodie", {
      category: "Clothing > Tops",
      group: { id: "warm-hoodie", name: "Warm Hoodie" },
      options: { Color: color, Size: size },
      price_minor: 5_000 + 100 * index + 1_000 * row,
      url: `https://shop.example/hoodie?variant=${row}${index}`,
      gtin: `400638133${row}${index}17`.slice(0, 12),
      stock: [{ warehouse: "east", quantity: color === "Blue" && size === "S" ? 0 : 2 }],
    }),
  ),
);
/** More matches than a search reads, all in groups of ten. */
const socks = Array.from({ length: 600 }, (_, index) =>
  item(`SOCK-${String(index).padStart(3, "0")}`, "Plain Sock", {
    category: "Clothing > Socks",
    group: { id: `sock-${index % 60}`, name: `Sock ${index % 60}` },
    options: { Size: String(30 + Math.floor(index / 60)) },
    price_minor: 500 + (index % 60) * 10 + Math.floor(index / 60),
  }),
);
const sale = {
  price_minor: 8_000,
  starts_at: "2026-12-01T00:00:00Z",
  ends_at: "2026-12-24T01:00:00+01:00",
};

beforeAll(async () => {
  await fill([
    ...hoodies,
    item("LAMP-1", "Brass Lantern", { category: "Home > Lamps", price_minor: 10_000, sale }),
    item("LAMP-2", "Steel Lantern", { category: "Home", price_minor: 9_000 }),
    item("UNKNOWN-1", "Silent Teapot", { stock: undefined }),
    item("FEED-1", "Feed Teapot", { stock: undefined, availability: "in_stock" }),
    item("EMPTY-1", "Empty Teapot", { stock: [] }),
    item("PRE-1", "Coming Teapot", { availability: "preorder", available_from: "2027-02-01" }),
    item("BACK-1", "Late Teapot", { availability: "backorder", stock: [{ warehouse: "east", quantity: 0 }] }),
    item("SAYS-1", "Sold Teapot", { availability: "in_stock", stock: [{ warehouse: "east", quantity: 0 }] }),
    item("GONE-1", "Old Teapot", { status: "discontinued", stock: undefined }),
    item("FULL-1", "Full Teapot"),
  ]);
  for (let at = 0; at < socks.length; at += 300) await fill(socks.slice(at, at + 300));
}, 60_000);

const catalog = () => createCatalog(env.DB);
const search = (query: string, rest: Partial<SearchRequest> = {}) =>
  catalog().search({ query, sort: "relevance", limit: 10, now: DURING, ...rest });
const skus = async (...args: Parameters<typeof search>) =>
  (await search(...args)).products.map(({ sku }) => sku);

describe("a product with variants", () => {
  it("is one hit, with its variants' number and prices", async () => {
    expect((await search("warm hoodie")).products).toMatchObject([
      {
        group: {
          id: "warm-hoodie",
          variants: 6,
          available: 5,
          price_min: { amount_minor: 5_000 },
          price_max: { amount_minor: 6_200 },
        },
      },
    ]);
  });

  it.each([
    ["blue hoodie l", "HOOD-Blue-L"],
    ["hoodie black m", "HOOD-Black-M"],
    ["HOOD-Blue-M", "HOOD-Blue-M"],
  ])("is found for %j by the variant %s", async (query, sku) => {
    expect(await skus(query)).toEqual([sku]);
  });

  it("shows a variant that passes the filters", async () => {
    expect(await skus("hoodie", { minPrice: 61.5 })).toEqual(["HOOD-Blue-L"]);
    expect(await skus("blue hoodie s", { inStock: true })).not.toContain("HOOD-Blue-S");
  });

  it.each([
    ["price_asc", "HOOD-Black-S"],
    ["price_desc", "HOOD-Blue-L"],
  ] as const)("is one hit by %s", async (sort, sku) => {
    expect(await skus("hoodie", { sort })).toEqual([sku]);
  });

  it.each(sortSchema.options)("does not crowd out others by %s", async (sort) => {
    const { products } = await search("plain sock", { sort, limit: 50 });
    const groups = products.map(({ group }) => group?.id);
    expect(new Set(groups).size).toBe(groups.length);
    expect(groups.length).toBeGreaterThan(sort.startsWith("price") ? 10 : 40);
  });

  it.each(["price_asc", "price_desc"] as const)(
    "is reached by every page of %s, whose keys only rise",
    async (sort) => {
      const seen = new Set<string | undefined>();
      let last = -Infinity;
      let page = await search("plain sock", { sort, limit: 7 });
      for (let pages = 0; pages < 500; pages++) {
        for (const { group, price } of page.products) {
          seen.add(group?.id);
          const key = sort === "price_asc" ? price.amount_minor : -price.amount_minor;
          expect(key).toBeGreaterThanOrEqual(last);
          last = key;
        }
        if (page.next === undefined) break;
        page = await search("plain sock", { sort, limit: 7, after: page.next });
      }
      expect(page.next).toBeUndefined();
      expect(seen.size).toBe(60);
    },
  );

  it("counts once in the size of the catalog, its categories and the filters", async () => {
    // The size is kept for a minute for each database object, and earlier files in this isolate have asked by the usual one.
    expect(await catalogSize(timedD1(env.DB), Date.now())).toBe(1 + 2 + 7 + 60);
    expect(await catalog().categories(10)).toEqual(
      expect.arrayContaining([
        { name: "Clothing > Socks", products: 60 },
        { name: "Clothing > Tops", products: 1 },
      ]),
    );
    const { facets } = await search("hoodie", { facets: true });
    expect(facets).toMatchObject({ counted: 1, categories: [{ name: "Clothing > Tops", products: 1 }] });
    expect(facets?.options).toContainEqual({
      name: "Color",
      values: colors.map((value) => ({ value, products: 1 })),
    });
    const { facets: ofSocks } = await search("plain sock", { facets: true });
    expect(ofSocks?.options).toContainEqual({
      name: "Size",
      values: expect.arrayContaining([{ value: "30", products: 60 }]),
    });
  });

  it("keeps its count when variants leave and come back", async () => {
    const count = async () => (await catalog().overview()).activeProducts;
    const before = await count();
    const status = (value: string, where: string) =>
      env.DB.prepare(`UPDATE products SET status = ? WHERE sku ${where}`).bind(value).run();
    await status("discontinued", "= 'HOOD-Blue-L'");
    expect(await count()).toBe(before);
    await status("discontinued", "LIKE 'HOOD-%'");
    expect(await count()).toBe(before - 1);
    await status("active", "LIKE 'HOOD-%'");
    expect(await count()).toBe(before);
  });
});

describe("a sale", () => {
  const offer = async (now: number) => {
    const [lantern] = await catalog().products(["LAMP-1"], now);
    return [lantern?.price.amount_minor, lantern?.list_price?.amount_minor];
  };

  it("shows both prices from its start until before its end", async () => {
    expect(await offer(SALE_STARTS - 1)).toEqual([10_000, undefined]);
    expect(await offer(SALE_STARTS)).toEqual([8_000, 10_000]);
    expect(await offer(SALE_ENDS - 1)).toEqual([8_000, 10_000]);
    expect(await offer(SALE_ENDS)).toEqual([10_000, undefined]);
  });

  it.each([
    ["before", SALE_STARTS - 1, ["LAMP-1"], [], ["LAMP-2", "LAMP-1"]],
    ["during", DURING, [], ["LAMP-1"], ["LAMP-1", "LAMP-2"]],
    ["after", SALE_ENDS, ["LAMP-1"], [], ["LAMP-2", "LAMP-1"]],
  ] as const)("decides filters and order %s it, without a write", async (_, now, dear, cheap, order) => {
    const brass = { category: "Home > Lamps", now };
    expect(await skus("lantern", { ...brass, minPrice: 99, maxPrice: 101 })).toEqual(dear);
    expect(await skus("lantern", { ...brass, minPrice: 79, maxPrice: 81 })).toEqual(cheap);
    expect(await skus("lantern", { sort: "price_asc", now })).toEqual(order);
    expect(await skus("lantern", { sort: "price_desc", now })).toEqual([...order].toReversed());
  });

  it("sorts right among more matches than are read at once", async () => {
    const cheap = product({
      ...item("SOCK-SALE", "Plain Sock"),
      price_minor: 1_000,
      sale: { price_minor: 501 },
    });
    await fill([cheap]);
    const { products } = await search("plain sock", { sort: "price_asc", limit: 3 });
    expect(products.map(({ price }) => price.amount_minor)).toEqual([500, 501, 510]);
    expect(products.map(({ sku }) => sku)).toContain("SOCK-SALE");
    await env.DB.prepare("DELETE FROM products WHERE sku = 'SOCK-SALE'").run();
  });
});

describe("availability", () => {
  it.each([
    ["UNKNOWN-1", "unknown", null],
    ["FEED-1", "in_stock", null],
    ["EMPTY-1", "out_of_stock", null],
    ["PRE-1", "preorder", 3],
    ["BACK-1", "backorder", 0],
    ["SAYS-1", "out_of_stock", 0],
    ["GONE-1", "discontinued", 0],
    ["FULL-1", "in_stock", 3],
  ])("of %s is %s, with the stock %j", async (sku, availability, stock) => {
    const [shown] = await catalog().products([sku], DURING);
    expect(shown?.availability).toBe(availability);
    const [found] = await createInventory(env.DB, "tester").stock([sku], Date.now());
    expect(found?.stock).toMatchObject({ availability, stock });
  });

  it("filters what is known: unknown stock is not out of stock", async () => {
    const teapots = { limit: 50 };
    expect((await skus("teapot", { ...teapots, inStock: true })).toSorted()).toEqual([
      "FEED-1",
      "FULL-1",
      "UNKNOWN-1",
    ]);
    expect(await skus("teapot", { ...teapots, inStock: false })).not.toContain("UNKNOWN-1");
  });
});

it.each([
  ["Home", ["LAMP-1", "LAMP-2"]],
  ["Home > Lamps", ["LAMP-1"]],
  ["home", ["LAMP-1", "LAMP-2"]],
])("the category %j includes those below it", async (name, found) => {
  const category = await catalog().categoryName(name);
  expect((await skus("lantern", { category })).toSorted()).toEqual(found);
});

it("an import tells what it would change, and which prices jump", async () => {
  const [first = hoodies[0]] = hoodies;
  if (first === undefined) throw new Error("no product");
  const [lantern] = [item("LAMP-2", "Steel Lantern", { category: "Home", price_minor: 90 })];
  const records = [
    first,
    { ...first, sku: "HOOD-Black-M", options: { Color: "Black", Size: "XL" }, price_minor: 5_100 },
    lantern,
    item("NEW-1", "New"),
  ];
  const rows = await runBatch(env.DB, [
    ...beginImport("compare"),
    ...stageRows("compare", records.map(stagedRow), 4),
    compareRows("compare", between("r", 1, 1_000)),
    ...dropImport("compare"),
  ]);
  expect(rows.flat()).toContainEqual(
    expect.objectContaining({ added: 1, changed: 2, unchanged: 1, price_jumps: 1 }),
  );
});
