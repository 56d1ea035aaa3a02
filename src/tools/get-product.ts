import * as z from "zod";
import { productDetailSchema } from "../catalog/product.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { HINTED_SKUS, skuSchema, unknownSku } from "../catalog/sku.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

const NAMED = [
  ["Brand", "brand"],
  ["Model", "model"],
  ["Category", "category"],
  ["GTIN", "gtin"],
  ["Image", "image_url"],
] as const;

export const getProduct = defineTool({
  name: "get_product",
  version: 1,
  title: "Get one product",
  description: `Everything public about one product by its exact SKU: price, description, attributes, availability.
SKUs come from search_products; an unknown one is answered with the nearest real SKUs.`,
  examples: [{ sku: "SKU-10001" }],
  annotations: READ_ONLY,
  scope: "catalog:read",
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: { arguments: ["sku"], results: ["sku"], hints: HINTED_SKUS },
    cost: { records: 1, bytes: 64_000 },
  },
  input: z.strictObject({ sku: skuSchema }),
  output: productDetailSchema,

  async run({ sku }, { catalog }) {
    const [product] = await catalog.products([sku]);
    if (product === undefined) return unknownSku(catalog, sku);
    return ok(answered(product, { records: 1 }));
  },

  // Every line starts with a label, so third-party text cannot start a line of its own.
  text: (product) =>
    [
      `${product.sku}: ${product.name}`,
      `Price: ${product.price.formatted}, ${product.availability}`,
      ...NAMED.flatMap(([label, field]) => (product[field] === "" ? [] : [`${label}: ${product[field]}`])),
      `Description: ${product.description.replaceAll("\n", "\n  ")}`,
      ...Object.entries(product.attributes).map(([key, value]) => `Attribute ${key}: ${value}`),
      ...(product.truncated ? ["(Description or attributes were cut.)"] : []),
    ].join("\n"),
});
