import { parseArguments } from "../validation/arguments.ts";
import type { CallContext } from "../call-context.ts";
import { type ProductDetail, countedAs } from "../catalog/product.ts";
import { HINTED_SKUS, skuSchema, unknownSku } from "../catalog/sku.ts";
import { type Answered, answered } from "../detection/signals.ts";
import { type Outcome, ok } from "../refusal.ts";
import type { Stock } from "../inventory/stock.ts";
import { CATALOG, type ResourceTemplate } from "./resource.ts";

export const productResource: ResourceTemplate = {
  uriTemplate: "catalog://products/{sku}",
  variable: "sku",
  name: "product",
  title: "One product with its live stock",
  description: "Everything public about one product, and its stock per warehouse now",
  scope: CATALOG.scope,
  runsAhead: true,
  labels: {
    ...CATALOG.labels,
    objects: { arguments: ["sku"], results: ["sku"], hints: HINTED_SKUS },
    cost: { records: 1, bytes: 64_000 },
  },

  async read(value, context) {
    const sku = parseArguments(skuSchema, value);
    if (!sku.ok) return sku;
    const products = await readProducts([sku.value], context);
    if (!products.ok) return products;
    const { value: found, signals } = products.value;
    const [product] = found;
    return product === undefined
      ? unknownSku(context.catalog, sku.value)
      : // Variants count as the product that they are.
        ok({ value: product.value, signals, measured: { ...product.value, sku: countedAs(product.value) } });
  },

  complete: async (typed, { catalog }, limit) => ({ ids: await catalog.skusStartingWith(typed, limit) }),
};

interface LiveProduct extends ProductDetail, Stock {
  /** The first image, under its earlier name. */
  image_url: string;
  as_of: string;
}

/**
 * Returns the resources of several products, or the refusal of the first unknown one. Takes two statements for any
 * number.
 */
export async function readProducts(
  skus: string[],
  { catalog, inventory, now }: CallContext,
): Promise<Outcome<Answered<{ uri: string; value: LiveProduct }[]>>> {
  const [products, stocks] = await Promise.all([catalog.products(skus, now), inventory.stock(skus, now)]);
  const as_of = new Date(now).toISOString();
  const found: { uri: string; value: LiveProduct }[] = [];
  for (const sku of skus) {
    const product = products.find((each) => each.sku === sku);
    const live = stocks.find(({ stock }) => stock.sku === sku);
    if (product === undefined || live === undefined) return unknownSku(catalog, sku);
    const uri = productResource.uriTemplate.replace("{sku}", encodeURIComponent(sku));
    const { status, stock: total, available, warehouses } = live.stock;
    const [image_url = ""] = product.images;
    found.push({ uri, value: { ...product, image_url, status, stock: total, available, warehouses, as_of } });
  }
  return ok(answered(found, { records: found.length }));
}
