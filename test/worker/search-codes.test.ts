import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { createCatalog } from "../../src/catalog/repository.ts";
import { fill, product } from "./support/catalog.ts";

const NEWS = [
  ["an umlaut that was typed as two letters", "muehle", ["MILL-1", "MILL-2"]],
  ["an umlaut of a rare word", "gruen", ["LEAF"]],
  ["a model that was typed without its dash", "BT18", ["DRILL"]],
  ["nothing for a number without its noun", "backpack 20l", []],
  ["nothing for a measure without its noun", "1 tb ssd", []],
  ["nothing by price for words that no product has", "xyzzy", []],
] as const;

beforeAll(async () => {
  await fill([
    product({ sku: "HOOD-G", name: "Hoodie green" }),
    product({ sku: "RAIN", name: "Rain jacket with hood" }),
    product({ sku: "RJ-B-M", name: "Parka" }),
    product({ sku: "SPKBLK", name: "Loudspeaker" }),
    product({ sku: "Ab-1x", name: "Adapter" }),
    product({ sku: "CABLE", name: "AB-1X AB-1X" }),
    product({
      sku: "rain-jacket.Blue.S",
      name: "Rain Jacket",
      group: { id: "rain-jacket", name: "Rain Jacket" },
      options: { Color: "Blue", Size: "S" },
    }),
    product({ sku: "MILL-1", name: "Mühle" }),
    product({ sku: "MILL-2", name: "Kaffee Mühle" }),
    product({ sku: "LEAF", name: "Teller Grün" }),
    product({ sku: "DRILL", name: "Cordless drill", model: "BT-18/4.0" }),
    product({ sku: "KNIFE", name: "Knife 20 cm" }),
    product({ sku: "BOTTLE", name: "Bottle 1 litre" }),
    product({ sku: "RJ", name: "Rain Jacket Blue S" }),
  ]);
});

const find = async (query: string, sort: "relevance" | "price_asc" = "relevance") => {
  const found = await createCatalog(env.DB).search({
    query,
    sort,
    limit: 10,
    now: Date.now(),
  });
  return found.products.map(({ sku }) => sku);
};

describe("a SKU comes first", () => {
  it.each([
    ["without a digit", "HOOD-G", "HOOD-G"],
    ["without a digit, in lower case", "hood-g", "HOOD-G"],
    ["of parts that no name has", "RJ-B-M", "RJ-B-M"],
    ["of letters alone", "spkblk", "SPKBLK"],
    ["of a name and options", "rain-jacket.Blue.S", "rain-jacket.Blue.S"],
    ["of a name and options, in another case", "rain-jacket.blue.s", "rain-jacket.Blue.S"],
    ["of small and capital letters, in another case", "AB-1X", "Ab-1x"],
  ])("%s", async (_, query, sku) => {
    expect((await find(query))[0]).toBe(sku);
  });
});

describe.each(["relevance", "price_asc"] as const)("by %s, a search finds", (sort) => {
  it.each(NEWS)("%s", async (_, query, skus) => {
    expect((await find(query, sort)).toSorted()).toEqual(skus);
  });
});
