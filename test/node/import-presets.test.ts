import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "shell-quote";
import { describe, expect, it } from "vitest";
import type { ReadFlags } from "../../cli/import/prepare.ts";
import { productRecordSchema } from "../../src/catalog/import/record.ts";
import { readImport } from "./support/read-import.ts";

const FILES = join(import.meta.dirname, "import-files");

/** The products that a file must become, written beside it. */
async function expected(name: string) {
  const text = await readFile(join(FILES, name), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => productRecordSchema.parse(JSON.parse(line)));
}

/** The commands of docs/import.md by the file that they import. */
async function documentedImports() {
  const page = await readFile(join(import.meta.dirname, "../../docs/import.md"), "utf8");
  const commands = [...page.matchAll(/^.* import ([\w.-]+)(.*)$/gm)];
  return new Map(commands.map(([, file = "", flags = ""]) => [file, flagsOf(flags)]));
}

function flagsOf(text: string): Partial<ReadFlags> {
  const words = parse(text).map(String);
  const valuesOf = (flag: string) =>
    words.flatMap((word, index) => (word === flag ? [words[index + 1] ?? ""] : []));
  const [currency] = valuesOf("--currency");
  return { map: valuesOf("--map"), set: valuesOf("--set"), ...(currency !== undefined && { currency }) };
}

describe("the export of a shop", () => {
  // The flags are those of the page.
  it.each([
    {
      file: "shopify.csv",
      is: "shopify.expected.jsonl",
      kind: "shopify",
      notes: {
        skusMissing: 16,
        skusRepeated: 2,
        negativeStock: 1,
        withoutCategory: 1,
        "left out: draft or archived": 2,
        "left out: hidden": 1,
      },
    },
    {
      file: "woocommerce.csv",
      is: "woocommerce.expected.jsonl",
      kind: "woocommerce",
      notes: {
        skusMissing: 13,
        negativeStock: 1,
        "left out: a set of other products": 1,
        "left out: draft or archived": 1,
        "left out: hidden": 2,
      },
    },
    ...["google.tsv", "google.rss.xml", "google.atom.xml"].map((file) => ({
      file,
      is: "google.expected.jsonl",
      kind: "google",
      notes: {},
    })),
    { file: "acp.json", is: "acp.expected.jsonl", kind: "acp", notes: {} },
    ...["erp-utf8.csv", "erp-latin1.csv"].map((file) => ({
      file,
      is: "erp.expected.jsonl",
      kind: "plain",
      notes: { negativeStock: 9 },
    })),
  ])("is read as the products it lists: $file", async ({ file, is, kind, notes }) => {
    const flags = (await documentedImports()).get(file === "erp-utf8.csv" ? "erp-latin1.csv" : file);
    expect(flags).toBeDefined();
    const read = await readImport(join(FILES, file), flags);
    expect(read.problems).toEqual([]);
    expect(read.kind).toBe(kind);
    expect(read.records).toEqual(await expected(is));
    expect(read.notes).toEqual(notes);
  });

  it("is read rightly if the rows of a Shopify product stand apart, and names those that lack their product", async () => {
    const file = join(await mkdtemp(join(tmpdir(), "catalog-presets-test-")), "sorted.csv");
    await writeFile(
      file,
      `Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src,Status
shirt,,,M,SHIRT-M,11.00,,
bowl,Bowl,Title,Default Title,BOWL,5.00,,active
shirt,Shirt,Size,S,SHIRT-S,10.00,https://shop.example/shirt.jpg,active
old,Old,Title,Default Title,OLD-1,3.00,,draft
shirt,,,L,SHIRT-L,12.00,,
old,,,Other,OLD-2,3.00,,
lost,,,X,LOST-X,1.00,,
`,
    );
    const { records, problems, notes } = await readImport(file, { currency: "EUR" });
    await rm(dirname(file), { recursive: true });
    expect(
      records.map(({ name, price_minor, group, images }) => [name, price_minor, group?.id, images.length]),
    ).toEqual([
      ["Bowl", 500, undefined, 0],
      ["Shirt - S", 1_000, "shirt", 1],
      ["Shirt - L", 1_200, "shirt", 1],
      ["Shirt - M", 1_100, "shirt", 1],
    ]);
    expect(problems).toEqual([expect.stringMatching(/^8: .*lost.*Sort/)]);
    expect(notes).toMatchObject({ "left out: draft or archived": 2 });
  });
});
