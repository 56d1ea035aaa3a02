import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { applyProducts, applyWords } from "../../src/catalog/import/apply.ts";
import { beginImport, dropImport, stageRows, stagedRow } from "../../src/catalog/import/stage.ts";
import { runBatch } from "../../src/database/run-batch.ts";
import { fill, keyboard, product, sample } from "./support/catalog.ts";

const one = (sql: string) => env.DB.prepare(sql).first();

describe("an import", () => {
  it("counts, indexes and dates its changes, and does nothing if nothing changes", async () => {
    await fill(sample);
    const before = await one("SELECT * FROM catalog_state");
    expect(before).toMatchObject({ active_products: 3 });
    await fill(sample);
    expect(await one("SELECT * FROM catalog_state")).toEqual(before);

    await fill([{ ...keyboard, name: "Silent Typewriter", status: "discontinued" }]);
    expect(await one("SELECT active_products FROM catalog_state")).toEqual({ active_products: 2 });
    expect(await one("SELECT active_products FROM categories WHERE name = 'Electronics'")).toEqual({
      active_products: 0,
    });
    const found = "SELECT count(*) AS n FROM product_search WHERE product_search MATCH ";
    expect(await one(`${found}'typewriter'`)).toEqual({ n: 1 });
    expect(await one(`${found}'title : keyboard'`)).toEqual({ n: 0 });
  });

  it("moves a product between categories, and stock between warehouses", async () => {
    await fill(sample);
    await fill([{ ...keyboard, category: "Clothing", stock: [{ warehouse: "north", quantity: 1 }] }]);
    expect(await one("SELECT active_products FROM categories WHERE name = 'Clothing'")).toEqual({
      active_products: 2,
    });
    const { results } = await env.DB.prepare(
      "SELECT warehouse, quantity FROM stock JOIN products ON id = product_id WHERE sku = 'SKU-10001'",
    ).all();
    expect(results).toEqual([{ warehouse: "north", quantity: 1 }]);
  });

  it("keeps stock if the record does not mention it", async () => {
    await fill(sample);
    const { stock: _, ...withoutStock } = keyboard;
    await fill([{ ...withoutStock, price_minor: 8_999 }]);
    expect(
      await one(
        "SELECT sum(quantity) AS n FROM stock JOIN products ON id = product_id WHERE sku = 'SKU-10001'",
      ),
    ).toEqual({ n: 36 });
  });

  it("writes the words of products in one part of the index, and those of changed ones in two", async () => {
    await fill([]);
    const all = { sql: "1", values: [] };
    const write = async (brand: string) => {
      // The length of its name decides a product's place in the index.
      const rows = Array.from({ length: 200 }, (_, index) =>
        stagedRow(product({ sku: `PART-${index}`, name: `Thing${" more".repeat((index * 7) % 20)}`, brand })),
      );
      const staged = [...beginImport("parts"), ...stageRows("parts", rows, rows.length)];
      await runBatch(env.DB, [...staged, ...applyProducts("parts", all), ...applyWords("parts", all)]);
      await runBatch(env.DB, dropImport("parts"));
    };
    const parts = async () => (await one("SELECT count(DISTINCT segid) AS n FROM product_search_idx"))?.["n"];
    const before = Number(await parts());
    await write("Acme");
    expect(Number(await parts()) - before).toBe(1);
    await write("Voltway");
    expect(Number(await parts()) - before).toBe(3);
  });

  it("discontinues missing products when told to", async () => {
    await fill(sample);
    await fill([keyboard, product({ sku: "NEW-1" })], { removeMissing: true });
    const { results } = await env.DB.prepare(
      "SELECT sku FROM products WHERE status = 'active' ORDER BY sku",
    ).all();
    expect(results).toEqual([{ sku: "NEW-1" }, { sku: "SKU-10001" }]);
    expect(await one("SELECT count(*) AS n FROM import_rows")).toEqual({ n: 0 });
  });
});
