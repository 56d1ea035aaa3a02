import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { createCatalog } from "../../src/catalog/repository.ts";
import { readQuery } from "../../src/catalog/search/query.ts";
import type { Position } from "../../src/catalog/cursor.ts";
import { type SearchRequest, search as searchWith } from "../../src/catalog/search/search.ts";
import { CANDIDATES, findPage } from "../../src/catalog/search/relevance-page.ts";
import { WORDS_ID } from "../../src/catalog/search/product-words.ts";
import { words } from "../../src/catalog/search/words.ts";
import { runBatch } from "../../src/database/run-batch.ts";
import type { Statement } from "../../src/database/statement.ts";
import { fill, product } from "./support/catalog.ts";
import { anyCharacter } from "../any-character.ts";

const COMMON_PRODUCTS = 1_200;

const named: ProductRecord[] = [
  product({
    sku: "KB-1",
    name: "Silent Keyboard",
    brand: "Logitech",
    model: "K-120/B",
    gtin: "0095205603217",
  }),
  product({
    sku: "NB-1",
    name: "Acme Book 15 notebook",
    brand: "Acme",
    attributes: { "display diagonal": "15.6 inch" },
  }),
  product({ sku: "NB-2", name: "Notebook security lock", brand: "Kensington" }),
  product({ sku: "SW-1", name: "Denver Smartwatch", brand: "Denver" }),
  product({ sku: "HD-1", name: "Hard Disk 2 TB external", brand: "Seagate", status: "discontinued" }),
  product({ sku: "HD-2", name: "Hard Disk 2TB external", brand: "Toshiba" }),
  product({ sku: "CF-1", name: "Café Crème Élégant", brand: "Élan" }),
];
// One word is in every name, more often than a search reads; facets that match one product each.
const common = Array.from({ length: COMMON_PRODUCTS }, (_, index) =>
  product({
    sku: `GZ-${String(index).padStart(4, "0")}`,
    name: `Gizmo ${index % 40}`,
    brand: index === 777 ? "Rare Brand" : "Usual",
    category: index === 888 ? "Rare Category" : "Gizmos",
    price_minor: index === 999 ? 999_999 : 1_000 + ((index * 7_919) % 5_000),
    stock: index === 555 ? [{ warehouse: "east", quantity: 1 }] : [],
  }),
);

beforeAll(async () => {
  await fill(named);
  for (let at = 0; at < common.length; at += 300) await fill(common.slice(at, at + 300));
});

const catalog = () => createCatalog(env.DB);
const search = (query: string, rest: Partial<SearchRequest> = {}) =>
  catalog().search({ query, sort: "relevance", limit: 10, now: Date.now(), ...rest });
const first = async (query: string) => (await search(query)).products[0]?.sku;

describe("ranking", () => {
  it.each([
    ["a model number as it is", "K-120/B", "KB-1"],
    ["a model number without its dashes", "k120b", "KB-1"],
    ["a model number among words", "silent k-120/b please", "KB-1"],
    ["a GTIN", "0095205603217", "KB-1"],
    ["a GTIN without its leading zeros", "95205603217", "KB-1"],
    ["a SKU in another case", "gz-0042", "GZ-0042"],
    ["a misspelling", "keybord", "KB-1"],
    ["two letters swapped", "keybaord", "KB-1"],
    ["a misspelt brand", "logitec", "KB-1"],
    ["an unfinished last word", "silent keyb", "KB-1"],
    ["a plural", "keyboards", "KB-1"],
    ["a compound in two words", "smart watch", "SW-1"],
    ["a unit written apart", "2 tb hard drive", "HD-2"],
    ["a word without its accents", "elegant creme", "CF-1"],
    ["accents as combining marks", "e\u0301le\u0301gant", "CF-1"],
  ])("%s", async (_, query, sku) => {
    expect(await first(query)).toBe(sku);
  });

  it("ranks an active product before its discontinued twin", async () => {
    const { products } = await search("hard disk 2tb");
    expect(products.map(({ sku }) => sku).slice(0, 2)).toEqual(["HD-2", "HD-1"]);
  });

  it("does not take a number in a query for a model", () => {
    expect(readQuery("windows 10").codes).toEqual([]);
  });
});

it.each([
  ["the brand", { brand: "Logitech" }, { brand: "Acme" }],
  ["the category", { category: "Things" }, { category: "Gizmos" }],
  ["the price", { maxPrice: 1_000 }, { minPrice: 1_000 }],
])("applies a filter by %s to a product found by its SKU", async (_, matching, other) => {
  const found = async (filter: Partial<SearchRequest>) =>
    (await search("KB-1", filter)).products.map(({ sku }) => sku);
  expect(await found(matching)).toContain("KB-1");
  expect(await found(other)).not.toContain("KB-1");
});

it.each(["Élan", "élan", "ÉLAN", "E\u0301lan", "e\u0301LAN"])("finds the brand as %j", async (brand) => {
  expect((await search("café", { brand })).products.map(({ sku }) => sku)).toEqual(["CF-1"]);
});

describe("a common word", () => {
  it.each([
    ["brand", { brand: "Rare Brand" }, "GZ-0777"],
    ["category", { category: "Rare Category" }, "GZ-0888"],
    ["price", { minPrice: 9_999.99, maxPrice: 9_999.99 }, "GZ-0999"],
    ["stock", { inStock: true }, "GZ-0555"],
  ])("still finds the only one of its %s", async (_, filter, sku) => {
    expect((await search("gizmo", filter)).products.map((each) => each.sku)).toEqual([sku]);
  });

  it("pages to the limit without duplicates, then reports that there are more", async () => {
    const seen: string[] = [];
    let page = await search("gizmo", { limit: 50 });
    for (;;) {
      seen.push(...page.products.map(({ sku }) => sku));
      if (page.next === undefined) break;
      expect(page.cut).toBe(false);
      page = await search("gizmo", { limit: 50, after: page.next });
    }
    expect(new Set(seen).size).toBe(CANDIDATES.all);
    expect(seen).toHaveLength(CANDIDATES.all);
    expect(page.cut).toBe(true);
  });

  it.each([
    ["price_asc", (a: number, b: number) => a - b],
    ["price_desc", (a: number, b: number) => b - a],
  ] as const)("pages through all of its products by %s, without doubles", async (sort, order) => {
    const seen: { sku: string; price: number }[] = [];
    let after: Position | undefined;
    do {
      const page = await search("gizmo", { sort, limit: 50, after });
      seen.push(...page.products.map(({ sku, price }) => ({ sku, price: price.amount_minor })));
      expect(page.cut).toBe(false);
      after = page.next;
    } while (after !== undefined);
    expect(new Set(seen.map(({ sku }) => sku)).size).toBe(COMMON_PRODUCTS);
    expect(seen.map(({ price }) => price)).toEqual(
      common.map(({ price_minor }) => price_minor).toSorted(order),
    );
  });
});

it.each(["🎉", "???", '"""', "$$$"])("finds nothing for %s, which has no word", async (query) => {
  expect((await search(query)).products).toEqual([]);
});

it("finds products with one word of a long query if none has all", async () => {
  expect(await first("silent notebook gizmo hard crème smartwatch denver")).toBeDefined();
});

it.each([
  ["words as they were typed", "silent keyboard", 1],
  ["a misspelt word", "silent keybaord", 2],
])("takes the least round trips to D1 for %s", async (_, query, trips) => {
  let made = 0;
  const run = (statements: Statement[]) => {
    made++;
    return runBatch(env.DB, statements);
  };
  const { summaries } = await searchWith(
    run,
    { query, sort: "relevance", limit: 1, now: Date.now() },
    Promise.resolve(),
  );
  expect(summaries[0]).toContain("KB-1");
  expect(made).toBe(trips);
});

it("visits short names first, and of a large catalog one block of products after the other", async () => {
  const inOrder = [
    { id: 200_000, tier: 2 },
    { id: 7, tier: 4 },
    { id: 5, tier: 31 },
    { id: 6, tier: 36 },
    { id: 70_000, tier: 4 },
    { id: 200_001, tier: 4 },
  ];
  const records = inOrder.toReversed().map(({ id, tier }) => ({ id, words: { tier } }));
  const { results } = await env.DB.prepare(
    `SELECT id FROM (SELECT value ->> 'id' AS id, NULL AS group_id, value AS record FROM json_each(?)) p ORDER BY ${WORDS_ID("p")}`,
  )
    .bind(JSON.stringify(records))
    .all();
  expect(results).toEqual(inOrder.map(({ id }) => ({ id })));
});

it("continues after a product that has left the catalog", async () => {
  const one = await search("gizmo 7", { limit: 5 });
  const last = one.products.at(-1)?.sku;
  await env.DB.prepare("DELETE FROM products WHERE sku = ?").bind(last).run();
  const two = await search("gizmo 7", { limit: 5, after: one.next });
  const shown = new Set(one.products.map(({ sku }) => sku));
  expect(two.products.length).toBeGreaterThan(0);
  expect(two.products.filter(({ sku }) => shown.has(sku))).toEqual([]);
});

describe("words", () => {
  it("contain only characters that are safe in FTS5 quotes", () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 100 }), (text) => {
        expect(words(text).filter((word) => !/^[\p{L}\p{N}\p{M}._]+$/u.test(word))).toEqual([]);
        expect(readQuery(text).words.filter((word) => /["*\s]/.test(word))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['17" notebook', ["17", "17inch", "notebook"]],
    ["17-inch Notebooks", ["17", "17inch", "notebook"]],
    ["2 GB, 2gb", ["2", "2gb", "2", "2gb"]],
    ["1,000 batteries", ["1000", "battery"]],
    ["Boxes and glasses", ["box", "and", "glass"]],
    ["1,5 TB", ["1.5", "1.5tb"]],
    ["6' 2 1/2 in.", ["6", "6ft", "2.5", "2.5inch"]],
    ["C++ and C#", ["c_plus_plus", "and", "c_sharp"]],
    ["USBケーブル", ["usb", "ケー", "ーブ", "ブル"]],
    ["a bottle without lid", ["a", "bottle", "no_lid"]],
  ])("of %s", (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it("take linear time on long numbers", () => {
    const started = performance.now();
    words("1".repeat(200_000));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

it.each([1, 6, 8, 12])("binds no more values than D1 allows for %i words of many names", (count) => {
  const typed = Array.from({ length: count }, (_, index) => `word${"abcdefghijkl"[index]}1`);
  const slots = typed.map((word) => ({
    names: Array.from({ length: 20 }, (_, index) => ({ phrase: `${word} ${index}`, weight: 1 })),
    products: 3,
  }));
  const filters = { category: "Cables", brand: "Ærø", minPrice: 1, maxPrice: 9, inStock: true, now: 0 };
  const query = { ...readQuery(typed.join(" ")), words: typed };
  expect(findPage(query, { settled: true, slots }, filters, 10, 0).values.length).toBeLessThanOrEqual(100);
});
