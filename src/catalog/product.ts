import * as z from "zod";
import { clip, plainLine, plainText } from "../text/plain-text.ts";
import { jsonText } from "../database/json-text.ts";
import { moneySchema, toMoney } from "./money.ts";

// Columns of a product that callers may see. A column that is not named here does not exist for callers.

const availabilitySchema = z.enum(["in_stock", "out_of_stock", "discontinued"]);

const NAME_MAX = 300;
const FIELD_MAX = 200;
const DESCRIPTION_MAX = 4_000;
const ATTRIBUTES_MAX = 100;

export const productSummarySchema = z.strictObject({
  sku: z.string(),
  name: z.string(),
  brand: z.string(),
  category: z.string(),
  price: moneySchema,
  availability: availabilitySchema,
});
export type ProductSummary = z.output<typeof productSummarySchema>;

export const productDetailSchema = z.strictObject({
  ...productSummarySchema.shape,
  model: z.string(),
  description: z.string(),
  gtin: z.string(),
  image_url: z.string(),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  truncated: z.boolean().describe("True where the description or the attributes were cut"),
});
export type ProductDetail = z.output<typeof productDetailSchema>;

const summaryColumns = {
  sku: z.string(),
  name: z.string(),
  brand: z.string(),
  category: z.string(),
  price_minor: z.int(),
  currency: z.string(),
  status: z.enum(["active", "discontinued"]),
  stocked: z.number(),
};
const summaryRowSchema = z.object(summaryColumns);

const attributeValue = z.union([z.string(), z.number(), z.boolean()]);
export const detailRowSchema = z.object({
  ...summaryColumns,
  model: z.string(),
  description: z.string(),
  gtin: z.string(),
  image_url: z.string(),
  attributes: jsonText.pipe(z.record(z.string(), z.unknown())),
});

const SUMMARY: Record<keyof typeof summaryColumns, string> = {
  sku: "p.sku",
  name: "p.name",
  brand: "p.brand",
  category: "c.name",
  price_minor: "p.price_minor",
  currency: "p.currency",
  status: "p.status",
  stocked: "EXISTS (SELECT 1 FROM stock s WHERE s.product_id = p.id AND s.quantity > 0)",
};
const summaryEntries = Object.entries(SUMMARY);

/** The columns of a detail, from `products p JOIN categories c`. */
export const DETAIL_COLUMNS = `${summaryEntries.map(([name, sql]) => `${sql} AS ${name}`).join(", ")},
  p.model, p.description, p.gtin, p.image_url, p.attributes`;
/** A summary in one cell, from the same tables. It is a list, because column names would double its length. */
export const SUMMARY_CELL = `json_array(${Object.values(SUMMARY).join(", ")})`;
/** Parses such a cell into a row. */
export const summaryCellSchema = jsonText
  .pipe(z.array(z.unknown()))
  .transform((values) => Object.fromEntries(summaryEntries.map(([name], index) => [name, values[index]])))
  .pipe(summaryRowSchema);

export function toSummary(row: z.output<typeof summaryRowSchema>): ProductSummary {
  return {
    sku: row.sku,
    name: clip(plainLine(row.name), NAME_MAX),
    brand: clip(plainLine(row.brand), FIELD_MAX),
    category: row.category,
    price: toMoney(row.price_minor, row.currency),
    availability: availabilityOf(row),
  };
}

export function toDetail(row: z.output<typeof detailRowSchema>): ProductDetail {
  const description = plainText(row.description);
  const attributes = Object.entries(row.attributes).flatMap(([key, value]) => {
    const parsed = attributeValue.safeParse(value);
    return parsed.success ? [[key, parsed.data] as const] : [];
  });
  return {
    ...toSummary(row),
    model: clip(plainLine(row.model), FIELD_MAX),
    description: clip(description, DESCRIPTION_MAX),
    gtin: row.gtin,
    image_url: row.image_url,
    attributes: Object.fromEntries(
      attributes
        .slice(0, ATTRIBUTES_MAX)
        .map(([key, value]) => [clip(plainLine(key), FIELD_MAX), cleanValue(value)]),
    ),
    truncated: description.length > DESCRIPTION_MAX || attributes.length > ATTRIBUTES_MAX,
  };
}

function cleanValue(value: z.output<typeof attributeValue>): z.output<typeof attributeValue> {
  return typeof value === "string" ? clip(plainLine(value), FIELD_MAX) : value;
}

function availabilityOf(row: z.output<typeof summaryRowSchema>): ProductSummary["availability"] {
  if (row.status === "discontinued") return "discontinued";
  return row.stocked === 1 ? "in_stock" : "out_of_stock";
}
