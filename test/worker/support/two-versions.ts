import * as z from "zod";
import { olderVersion } from "../../../src/tools/older-version.ts";
import { skuSchema, unknownSku } from "../../../src/catalog/sku.ts";
import { NOWHERE } from "../../../src/detection/labels.ts";
import { answered } from "../../../src/detection/signals.ts";
import { ok } from "../../../src/refusal.ts";
import { READ_ONLY, defineTool } from "../../../src/tools/tool.ts";

const output = z.strictObject({ item: z.strictObject({ sku: z.string() }), units: z.int() });

/** A tool whose second version asks and answers by `item`; the first used a plain SKU. */
export const unitsOf = defineTool({
  name: "units_of",
  version: 2,
  title: "Units of a product",
  description: "Units of one product, in all warehouses.",
  examples: [{ item: { sku: "SKU-10001" } }],
  annotations: READ_ONLY,
  scope: "catalog:read",
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: { arguments: ["item.sku"], results: ["item.sku"] },
    cost: { records: 1, bytes: 1_000 },
  },
  input: z.strictObject({ item: z.strictObject({ sku: skuSchema }) }),
  output,

  async run({ item: { sku } }, { catalog, inventory, now }) {
    const [found] = await inventory.stock([sku], now);
    if (found === undefined) return unknownSku(catalog, sku);
    return ok(answered({ item: { sku: found.stock.sku }, units: found.stock.stock ?? 0 }, { records: 1 }));
  },

  text: ({ item, units }) => `${item.sku}: ${units}`,

  previous: [
    olderVersion({
      version: 1,
      deprecated: { since: "2026-12-01", until: "2027-06-01" },
      description: "Stock of one product.",
      examples: [{ sku: "SKU-10001" }],
      input: z.strictObject({ sku: skuSchema }),
      output: z.strictObject({ sku: z.string(), stock: z.int() }),
      toCurrent: ({ sku }) => ({ item: { sku } }),
      fromCurrent: ({ item, units }: z.output<typeof output>) => ({ sku: item.sku, stock: units }),
      text: ({ sku, stock }) => `${sku} has ${stock}`,
    }),
  ],
});
