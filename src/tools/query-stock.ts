import * as z from "zod";
import { type Stock, stockSchema } from "../inventory/stock.ts";
import { NOWHERE } from "../detection/labels.ts";
import { answered } from "../detection/signals.ts";
import { ok } from "../refusal.ts";
import { HINTED_SKUS, skuSchema, unknownSku } from "../catalog/sku.ts";
import { olderVersion } from "./older-version.ts";
import { READ_ONLY, defineTool } from "./tool.ts";

const SKUS_MAX = 50;
const NEAREST_SHOWN = 3;
// Each nearest list needs its own lookup, so an answer to fifty wrong SKUs must not have fifty.
const NEAREST_LISTS = 3;

const asOf = z.iso.datetime().describe("When the stock was read");
const not_found = z.array(z.strictObject({ sku: z.string(), nearest_skus: z.array(z.string()) }));
const output = z.union([
  z.strictObject({ ...stockSchema.shape, as_of: asOf }),
  z.strictObject({ items: z.array(stockSchema), not_found, as_of: asOf }),
]);

/** Version 1 knows no unknown stock: it says 0. */
const earlierStockSchema = z.strictObject({
  sku: z.string(),
  status: z.enum(["active", "discontinued"]),
  stock: z.int().describe("Units on hand in all warehouses; 0 for a discontinued product, and if unknown"),
  warehouses: z.array(z.strictObject({ warehouse: z.string(), quantity: z.int() })),
});
const earlierOutput = z.union([
  z.strictObject({ ...earlierStockSchema.shape, as_of: asOf }),
  z.strictObject({ items: z.array(earlierStockSchema), not_found, as_of: asOf }),
]);
const toEarlier = ({ sku, status, stock, warehouses }: Stock): z.output<typeof earlierStockSchema> => ({
  sku,
  status,
  stock: stock ?? 0,
  warehouses: warehouses.map(({ warehouse, quantity }) => ({ warehouse, quantity })),
});

const input = z
  .strictObject({
    sku: skuSchema.optional(),
    skus: z.array(skuSchema).min(1).max(SKUS_MAX).optional(),
  })
  .refine(({ sku, skus }) => (sku === undefined) !== (skus === undefined), {
    message: "Give either sku or skus",
  });

export const queryStock = defineTool({
  name: "query_stock",
  version: 2,
  title: "Query stock",
  description: `Live stock of one product, or of up to ${SKUS_MAX} at once, in total and per warehouse, with its availability.
A discontinued product has stock 0; null means that the quantity is unknown, not 0. Never state a stock level that this tool did not answer.`,
  examples: [{ sku: "SKU-10001" }, { skus: ["SKU-10001", "SKU-12847"] }],
  annotations: READ_ONLY,
  scope: "catalog:read",
  runsAhead: true,
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
  input,
  output,

  async run({ sku, skus = [] }, { catalog, inventory, now }) {
    const as_of = new Date(now).toISOString();
    const found = await inventory.stock(sku === undefined ? skus : [sku], now);
    // Variants count as the product that they are.
    const measured = found.map(({ stock, countsAs }) => ({ ...stock, sku: countsAs }));
    const items = found.map(({ stock }) => stock);
    if (sku !== undefined) {
      const [one] = items;
      if (one === undefined) return unknownSku(catalog, sku);
      return ok({ ...answered({ ...one, as_of }, { records: 1 }), measured: { items: measured } });
    }
    const known = new Set(items.map((item) => item.sku));
    const unknown = [...new Set(skus)].filter((wanted) => !known.has(wanted));
    const missing = await Promise.all(
      unknown.map(async (wanted, index) => ({
        sku: wanted,
        nearest_skus: index < NEAREST_LISTS ? await catalog.nearestSkus(wanted, NEAREST_SHOWN) : [],
      })),
    );
    const signals = { records: items.length, missed: items.length === 0, missing: unknown };
    const answer = { items, not_found: missing, as_of };
    return ok({ ...answered(answer, signals), measured: { ...answer, items: measured } });
  },

  text: (answer) =>
    "sku" in answer
      ? stockText([stockLine(answer)], answer)
      : stockText(answer.items.map(stockLine), answer, answer.not_found),

  previous: [
    olderVersion({
      version: 1,
      deprecated: { since: "2026-12-01", until: "2027-06-01" },
      description: `Live stock of one product, or of up to ${SKUS_MAX} at once, in total and per warehouse. Unknown stock is shown as 0.`,
      examples: [{ sku: "SKU-10001" }, { skus: ["SKU-10001", "SKU-12847"] }],
      input,
      output: earlierOutput,
      toCurrent: (args) => args,
      fromCurrent: (answer: z.output<typeof output>) =>
        "sku" in answer
          ? { ...toEarlier(answer), as_of: answer.as_of }
          : { ...answer, items: answer.items.map(toEarlier) },
      text: (answer) =>
        "sku" in answer
          ? stockText([earlierLine(answer)], answer)
          : stockText(answer.items.map(earlierLine), answer, answer.not_found),
    }),
  ],
});

function stockText(
  lines: string[],
  { as_of }: { as_of: string },
  missing: z.output<typeof not_found> = [],
): string {
  const notFound = missing.map(
    ({ sku, nearest_skus }) =>
      `${sku}: not found${nearest_skus.length > 0 ? `, nearest: ${nearest_skus.join(", ")}` : ""}`,
  );
  return `${[...lines, ...notFound].join("\n")}\n(as of ${as_of})`;
}

const inBrackets = (places: string[]): string => (places.length === 0 ? "" : ` (${places.join("; ")})`);

function placeText({ warehouse, quantity, available, version }: Stock["warehouses"][number]): string {
  const held = available === quantity ? "" : `, ${available} available`;
  return `${warehouse} ${quantity}${held}, version ${version}`;
}

function stockLine({
  sku,
  status,
  availability,
  available_from,
  stock,
  available,
  warehouses,
}: Stock): string {
  const from = available_from === undefined ? "" : ` from ${available_from}`;
  // A discontinued product is so by both words, and one says it.
  const state = status === availability ? status : `${status}, ${availability}`;
  const held = available === stock ? "" : `, available ${available}`;
  return `${sku}: ${state}${from}, stock ${stock ?? "unknown"}${held}${inBrackets(warehouses.map(placeText))}`;
}

const earlierLine = ({ sku, status, stock, warehouses }: z.output<typeof earlierStockSchema>): string =>
  `${sku}: ${status}, stock ${stock}${inBrackets(warehouses.map(({ warehouse, quantity }) => `${warehouse} ${quantity}`))}`;
