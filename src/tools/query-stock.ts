import * as z from "zod";
import { type Stock, stockSchema } from "../inventory/stock.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { HINTED_SKUS, skuSchema, unknownSku } from "../catalog/sku.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

const SKUS_MAX = 50;
const NEAREST_SHOWN = 3;
// Each nearest list needs its own lookup, so an answer to fifty wrong SKUs must not have fifty.
const NEAREST_LISTS = 3;

const asOf = z.iso.datetime().describe("When the stock was read");
const one = z.strictObject({ ...stockSchema.shape, as_of: asOf });
const many = z.strictObject({
  items: z.array(stockSchema),
  not_found: z.array(z.strictObject({ sku: z.string(), nearest_skus: z.array(z.string()) })),
  as_of: asOf,
});

export const queryStock = defineTool({
  name: "query_stock",
  version: 1,
  title: "Query stock",
  description: `Live stock of one product, or of up to ${SKUS_MAX} at once, in total and per warehouse.
A discontinued product has stock 0. Never state a stock level that this tool did not answer.`,
  examples: [{ sku: "SKU-10001" }, { skus: ["SKU-10001", "SKU-12847"] }],
  annotations: READ_ONLY,
  scope: "catalog:read",
  labels: {
    classes: ["catalog"],
    kinds: ["source"],
    subjects: NOWHERE,
    objects: {
      arguments: ["sku", "skus[]"],
      results: ["sku", "items[].sku", "not_found[].nearest_skus[]"],
      hints: HINTED_SKUS,
    },
    cost: { records: 50, bytes: 100_000 },
  },
  input: z
    .strictObject({
      sku: skuSchema.optional(),
      skus: z.array(skuSchema).min(1).max(SKUS_MAX).optional(),
    })
    .refine(({ sku, skus }) => (sku === undefined) !== (skus === undefined), {
      message: "Give either sku or skus",
    }),
  output: z.union([one, many]),

  async run({ sku, skus = [] }, { catalog, inventory, now }) {
    const as_of = new Date(now).toISOString();
    const items = await inventory.stock(sku === undefined ? skus : [sku]);
    if (sku !== undefined) {
      const [found] = items;
      if (found === undefined) return unknownSku(catalog, sku);
      return ok(answered({ ...found, as_of }, { records: 1 }));
    }
    const known = new Set(items.map((item) => item.sku));
    const unknown = [...new Set(skus)].filter((wanted) => !known.has(wanted));
    const not_found = await Promise.all(
      unknown.map(async (wanted, index) => ({
        sku: wanted,
        nearest_skus: index < NEAREST_LISTS ? await catalog.nearestSkus(wanted, NEAREST_SHOWN) : [],
      })),
    );
    const signals = { records: items.length, missed: items.length === 0, missing: unknown };
    return ok(answered({ items, not_found, as_of }, signals));
  },

  text(output) {
    if ("sku" in output) return `${stockLine(output)} (as of ${output.as_of})`;
    const lines = output.items.map(stockLine);
    for (const { sku, nearest_skus } of output.not_found) {
      lines.push(
        `${sku}: not found${nearest_skus.length > 0 ? `, nearest: ${nearest_skus.join(", ")}` : ""}`,
      );
    }
    return `${lines.join("\n")}\n(as of ${output.as_of})`;
  },
});

function stockLine({ sku, status, stock, warehouses }: Stock): string {
  const places = warehouses.map(({ warehouse, quantity }) => `${warehouse} ${quantity}`).join(", ");
  return `${sku}: ${status}, stock ${stock}${places === "" ? "" : ` (${places})`}`;
}
