import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { generateProducts } from "../../cli/sample/generate.ts";

/** Words with a known share of the products, added to the sample catalog's. */
export const WORDS = {
  common: "evergreen",
  alsoCommon: "signature",
  medium: "horizon",
  rare: "quicksilver",
} as const;
const RARE_PRODUCTS = 20;

/**
 * Generates a catalog of `count` products: each common word is in 30 % of the names, the medium one in 1 %,
 * the rare one in 20 names.
 */
export function* scaledCatalog(count: number): Generator<ProductRecord> {
  const rareEvery = Math.floor(count / RARE_PRODUCTS);
  let index = 0;
  for (const product of generateProducts(count, 1)) {
    // Multiplying by a number prime to 100 spreads the shares evenly and keeps them independent.
    const words = [
      ...((index * 37) % 100 < 30 ? [WORDS.common] : []),
      ...((index * 73) % 100 < 30 ? [WORDS.alsoCommon] : []),
      ...(index % 100 === 50 ? [WORDS.medium] : []),
      ...(index % rareEvery === 7 ? [WORDS.rare] : []),
    ];
    yield { ...product, name: [product.name, ...words].join(" ") };
    index++;
  }
}

/** Writes a scaled catalog as JSONL, each product as `change` returns it. */
export async function writeScaledCatalog(
  path: string,
  count: number,
  change: (product: ProductRecord) => ProductRecord = (product) => product,
): Promise<void> {
  const file = createWriteStream(path);
  for (const product of scaledCatalog(count))
    if (!file.write(`${JSON.stringify(change(product))}\n`)) await once(file, "drain");
  file.end();
  await once(file, "finish");
}
