import { ok } from "../refusal.ts";
import { skuSchema, unknownSku } from "../catalog/sku.ts";
import { parseArguments } from "../arguments.ts";
import type { ResourceTemplate } from "./resource.ts";

export const productResource: ResourceTemplate = {
  uriTemplate: "catalog://products/{sku}",
  variable: "sku",
  name: "product",
  title: "One product with its live stock",
  description: "Everything public about one product, and its stock per warehouse now",

  async read(value, { catalog, inventory, now }) {
    const sku = parseArguments(skuSchema, value);
    if (!sku.ok) return sku;
    const [product, [stock]] = await Promise.all([catalog.product(sku.value), inventory.stock([sku.value])]);
    if (product === undefined || stock === undefined) return unknownSku(catalog, sku.value);
    const { status, stock: total, warehouses } = stock;
    return ok({ ...product, status, stock: total, warehouses, as_of: new Date(now).toISOString() });
  },

  complete: (typed, { catalog }, limit) => catalog.skusStartingWith(typed, limit),
};
