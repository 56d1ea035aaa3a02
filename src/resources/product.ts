import { parseArguments } from "../arguments.ts";
import type { CallContext } from "../call-context.ts";
import { skuSchema, unknownSku } from "../catalog/sku.ts";
import { type Outcome, ok } from "../refusal.ts";
import { CATALOG, type ResourceTemplate } from "./resource.ts";

export const productResource: ResourceTemplate = {
  uriTemplate: "catalog://products/{sku}",
  variable: "sku",
  name: "product",
  title: "One product with its live stock",
  description: "Everything public about one product, and its stock per warehouse now",
  scope: CATALOG.scope,
  labels: {
    ...CATALOG.labels,
    objects: { arguments: ["sku"], results: ["sku"] },
    cost: { records: 1, bytes: 64_000 },
  },

  async read(value, context) {
    const sku = parseArguments(skuSchema, value);
    if (!sku.ok) return sku;
    const products = await readProducts([sku.value], context);
    if (!products.ok) return products;
    const [product] = products.value;
    return product === undefined ? unknownSku(context.catalog, sku.value) : ok(product.value);
  },

  complete: (typed, { catalog }, limit) => catalog.skusStartingWith(typed, limit),
};

/** The resources of several products, or the refusal of the first that is unknown; two statements however many. */
export async function readProducts(
  skus: string[],
  { catalog, inventory, now }: CallContext,
): Promise<Outcome<{ uri: string; value: object }[]>> {
  const [products, stocks] = await Promise.all([catalog.products(skus), inventory.stock(skus)]);
  const as_of = new Date(now).toISOString();
  const found: { uri: string; value: object }[] = [];
  for (const sku of skus) {
    const product = products.find((each) => each.sku === sku);
    const stock = stocks.find((each) => each.sku === sku);
    if (product === undefined || stock === undefined) return unknownSku(catalog, sku);
    const uri = productResource.uriTemplate.replace("{sku}", encodeURIComponent(sku));
    const { status, stock: total, warehouses } = stock;
    found.push({ uri, value: { ...product, status, stock: total, warehouses, as_of } });
  }
  return ok(found);
}
