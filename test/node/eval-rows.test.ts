import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkJudgedSkus, readJudgments, readProducts } from "../../lab/eval/read-data.ts";
import { generateProducts } from "../../cli/sample/generate.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-eval-rows-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}
const judgments = (...rows: string[]) =>
  write("judgments.csv", ["query,sku,grade", ...rows].join("\n")).then(readJudgments);

describe("judgments", () => {
  it("are grades by query, without the queries that have none above 0", async () => {
    const judged = await judgments("lamp,A,3", "lamp,B,0", "", '"desk, oak",C,1', "sofa,A,0");
    expect(judged).toEqual([
      [
        "lamp",
        new Map([
          ["A", 3],
          ["B", 0],
        ]),
      ],
      ["desk, oak", new Map([["C", 1]])],
    ]);
  });

  it.each([
    ["a grade that is not a number", "lamp,B,good", /line 3: grade is not 0, 1, 2 or 3$/],
    ["a grade above 3", "lamp,B,4", /line 3: grade/],
    ["an empty grade", "lamp,B,", /line 3: grade/],
    ["no grade", "lamp,B", /line 3: grade is missing$/],
    ["an empty SKU", "lamp,,2", /line 3: sku is empty$/],
    ["an empty query", ",B,2", /line 3: query is empty$/],
    ["a duplicate judgment", "lamp,A,2", /line 3: A is already judged/],
  ])("with %s are refused by line", async (_, row, message) => {
    await expect(judgments("lamp,A,3", row)).rejects.toThrow(message);
  });

  it("name the first bad rows, and how many more there are", async () => {
    const rows = Array.from({ length: 12 }, (_, index) => `lamp,${index},x`);
    await expect(judgments(...rows)).rejects.toThrow(/line 2: [^]+line 11: [^]+: 2 more bad rows$/);
  });

  it.each([
    ["without a column", "query,product,grade\nlamp,A,3", /line 1: no column sku/],
    ["that are empty", "", /line 1: no column query, sku, grade/],
    ["without a good grade", "query,sku,grade\nlamp,A,0", /no query with a grade above 0/],
    ["that are not CSV", 'query,sku,grade\n"lamp', /judged\.csv is not CSV: /],
  ])("%s are refused", async (_, text, message) => {
    await expect(readJudgments(await write("judged.csv", text))).rejects.toThrow(message);
  });

  it("are refused if no product has their SKUs", () => {
    const judged: Parameters<typeof checkJudgedSkus>[0] = [["lamp", new Map([["A", 3]])]];
    expect(() => checkJudgedSkus(judged, [{ sku: "B" }])).toThrow("None of the judged SKUs");
    expect(() => checkJudgedSkus(judged, [{ sku: "B" }, { sku: "A" }])).not.toThrow();
  });
});

describe("products", () => {
  const [good] = generateProducts(1, 1);

  it("are read completely", async () => {
    expect(await readProducts(await write("good.jsonl", JSON.stringify(good)))).toEqual([good]);
  });

  it.each([
    ["a line that is not JSON", "{", /products\.jsonl, line 2: is not JSON$/],
    ["a product without a SKU", '{"name":"Lamp"}', /line 2: sku: is missing/],
    ["a duplicate SKU", JSON.stringify(good), /line 2: sku: .* is already on line 1$/],
  ])("with %s are refused by line", async (_, line, message) => {
    const file = await write("products.jsonl", `${JSON.stringify(good)}\n${line}\n`);
    await expect(readProducts(file)).rejects.toThrow(message);
  });

  it("that are invalid are refused", async () => {
    await expect(readProducts(await write("none.jsonl", "\n"))).rejects.toThrow("contains no product");
  });
});
