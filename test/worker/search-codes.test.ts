import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { createCatalog } from "../../src/catalog/repository.ts";
import { fill, product } from "./support/catalog.ts";

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
    product({ sku: "RJ", name: "Rain Jacket Blue S" }),
  ]);
});

const find = async (query: string) => {
  const found = await createCatalog(env.DB).search({
    query,
    sort: "relevance",
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
