import { readFile } from "node:fs/promises";
import { join } from "node:path";
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
});
