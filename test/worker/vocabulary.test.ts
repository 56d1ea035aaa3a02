import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { createCatalog } from "../../src/catalog/repository.ts";
import { fill, product } from "./support/catalog.ts";

const mugs = Array.from({ length: 90 }, (_, index) =>
  product({ sku: `MUG-${index}`, name: `Enamel Mug ${index % 2 === 0 ? "Blue" : "Green"}` }),
);

const one = (sql: string) => env.DB.prepare(sql).first();
const countOf = async (word: string) =>
  (await env.DB.prepare("SELECT products FROM word_counts WHERE word = ?").bind(word).first("products")) ?? 0;
const first = async (query: string) => {
  const { products } = await createCatalog(env.DB).search({
    query,
    sort: "relevance",
    limit: 1,
    now: Date.now(),
  });
  return products[0]?.sku;
};
/** Returns every word with the products that have it, recounted from the rows. */
async function recounted(): Promise<unknown[]> {
  const { results } = await env.DB.prepare(
    `SELECT value AS word, count(DISTINCT product_id) AS products
     FROM product_words, json_each('["' || replace(head || title || brand || detail || joined || facet, ' ', '","') || '"]')
     WHERE value <> '' GROUP BY 1 ORDER BY 1`,
  ).all();
  return results;
}
async function kept(): Promise<unknown[]> {
  const { results } = await env.DB.prepare(
    "SELECT word, products FROM word_counts WHERE products > 0 ORDER BY 1",
  ).all();
  return results;
}

beforeEach(async () => {
  await fill(mugs);
});

describe("the vocabulary", () => {
  it("follows products that are added, changed and removed", async () => {
    expect(await countOf("enamel")).toBe(90);
    await fill([
      product({ sku: "MUG-0", name: "Copper Mug" }),
      product({ sku: "NEW-1", name: "Copper Kettle" }),
    ]);
    expect(await countOf("enamel")).toBe(89);
    expect(await countOf("copper")).toBe(2);
    await env.DB.prepare("DELETE FROM products WHERE sku = 'NEW-1'").run();
    expect(await countOf("copper")).toBe(1);
    expect(await kept()).toEqual(await recounted());
    expect(await one("SELECT words_products AS n FROM catalog_state")).toEqual({ n: 90 });
  });

  it("does not offer a word whose last product is gone", async () => {
    await fill([product({ sku: "OLD-1", name: "Samovar" })]);
    expect(await first("samovra")).toBe("OLD-1");
    await env.DB.prepare("DELETE FROM products WHERE sku = 'OLD-1'").run();
    expect(await first("samovra")).toBeUndefined();
  });
});

it("indexes rows of an older release again, beside searches that find them meanwhile", async () => {
  await env.DB.batch(
    [
      "UPDATE product_words SET reading = 1",
      "DELETE FROM word_counts",
      "DELETE FROM word_forms",
      "UPDATE catalog_state SET unread_from = 0",
    ].map((sql) => env.DB.prepare(sql)),
  );
  expect(await one("SELECT words_products AS n, title_bytes FROM catalog_state")).toEqual({
    n: 0,
    title_bytes: 0,
  });
  for (let search = 0; search < 4; search++) expect(await first("mug-17")).toBe("MUG-17");
  expect(await one("SELECT unread_from FROM catalog_state")).toEqual({ unread_from: null });
  expect(await kept()).toEqual(await recounted());
  expect(await first("enmael mug green")).toMatch(/^MUG-/);
});

it("filters and lists rows of an older release, which lack the newer words of filters", async () => {
  await env.DB.batch(
    [
      "UPDATE product_words SET reading = 1, facet = ' c_things b_acme '",
      "UPDATE catalog_state SET unread_from = 0",
    ].map((sql) => env.DB.prepare(sql)),
  );
  const price = 19.99;
  await env.DB.prepare("UPDATE products SET price_minor = 1999 WHERE sku = 'MUG-88'").run();
  const found = async (query: string, filters: { minPrice?: number; maxPrice?: number }, limit: number) => {
    const page = await createCatalog(env.DB).search({
      query,
      sort: "relevance",
      limit,
      now: Date.now(),
      ...filters,
    });
    return page.products.map(({ sku }) => sku);
  };
  expect(await found("mug", { minPrice: price, maxPrice: price }, 10)).toEqual(["MUG-88"]);
  expect(await found("", {}, 50)).toHaveLength(50);
});
