import * as z from "zod";
import { HINTED_SKUS, skuSchema, unknownSku } from "../../../src/catalog/sku.ts";
import { NOWHERE } from "../../../src/detection/labels.ts";
import { answered } from "../../../src/detection/signals.ts";
import { ok } from "../../../src/refusal.ts";
import { READ_ONLY, defineTool } from "../../../src/tools/tool.ts";

export const checkAvailability = defineTool({
  name: "check_availability",
  version: 1,
  title: "Check availability",
  description: "Whether one product can be bought now, by its exact SKU.",
  examples: [{ sku: "SKU-10001" }],
  annotations: READ_ONLY,
  scope: "catalog:read",
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: { arguments: ["sku"], results: ["sku"], hints: HINTED_SKUS },
    cost: { records: 1, bytes: 1_000 },
  },
  input: z.strictObject({ sku: skuSchema }),
  output: z.strictObject({ sku: z.string(), available: z.boolean() }),

  async run({ sku }, { catalog, now }) {
    const [product] = await catalog.products([sku], now);
    if (product === undefined) return unknownSku(catalog, sku);
    const available = product.availability === "in_stock";
    return ok(answered({ sku: product.sku, available }, { records: 1 }));
  },

  text: ({ sku, available }) => `${sku}: ${available ? "can be bought now" : "can't be bought now"}`,
});
