import * as z from "zod";
import { clip, plainLine, plainText } from "../text/plain-text.ts";
import { jsonText } from "../database/json-text.ts";
import {
  availabilityColumns,
  availabilityOf,
  availabilitySchema,
  isBuyable,
  stockedOf,
} from "./availability.ts";
import { moneySchema, otherMoneySchema, toMoney } from "./money.ts";
import { currentPrice } from "./price.ts";

// Columns of a product that callers may see. A column that is not named here does not exist for callers.

const NAME_MAX = 300;
const FIELD_MAX = 200;
const DESCRIPTION_MAX = 4_000;
const ATTRIBUTES_MAX = 100;
/** Variants of which a price range is made. */
const VARIANTS_READ_MAX = 200;

const ratingSchema = z.strictObject({ value: z.number().describe("0 to 5"), count: z.int() });
export const optionsSchema = z.array(z.strictObject({ name: z.string(), value: z.string() }));

/** A product that has variants. */
export const groupSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  variants: z.int().describe("How many can be chosen from"),
  available: z.int().describe("How many are not known to be out of stock"),
  price_min: otherMoneySchema,
  price_max: otherMoneySchema,
});

/** Fields that the variants of a product differ in, beside the price. */
const offerShape = {
  list_price: otherMoneySchema.optional().describe("The regular price, while a sale runs"),
  availability: availabilitySchema,
  available_from: z.string().optional(),
  url: z.string().optional().describe("Product page"),
};

export const productSummarySchema = z.strictObject({
  sku: z.string(),
  name: z.string(),
  brand: z.string(),
  category: z.string(),
  price: moneySchema,
  ...offerShape,
  rating: ratingSchema.optional(),
  options: optionsSchema.optional(),
  group: groupSchema.optional(),
});
export type ProductSummary = z.output<typeof productSummarySchema>;

export const productDetailSchema = z.strictObject({
  ...productSummarySchema.shape,
  model: z.string(),
  description: z.string(),
  gtin: z.string(),
  condition: z.string().optional(),
  images: z.array(z.string()),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  truncated: z.boolean().describe("True where the description or the attributes were cut"),
});
export type ProductDetail = z.output<typeof productDetailSchema>;

/** One variant in the list of its group's. */
export const variantSchema = z.strictObject({
  sku: z.string(),
  options: optionsSchema,
  price: otherMoneySchema,
  ...offerShape,
  image: z.string().optional(),
  gtin: z.string().optional(),
});
export type Variant = z.output<typeof variantSchema>;

/** Returns the id under which a product counts: all variants of a group are one product. */
export const countedAs = ({ sku, group }: Pick<ProductSummary, "sku" | "group">): string => group?.id ?? sku;

const optionsRow = jsonText.pipe(z.record(z.string(), z.string())).catch({});

const offerColumns = {
  sku: z.string(),
  price_minor: z.int(),
  list_minor: z.int(),
  currency: z.string(),
  url: z.string(),
  /** Empty if there is none. */
  image_url: z.string(),
  options: optionsRow,
  ...availabilityColumns,
};
const summaryColumns = {
  ...offerColumns,
  name: z.string(),
  brand: z.string(),
  category: z.string(),
  rating_value: z.number().nullable(),
  rating_count: z.int().nullable(),
  group: jsonText
    .pipe(z.tuple([z.string(), z.string(), z.int(), z.int(), z.int(), z.int()]))
    .nullable()
    .catch(null),
};
const summaryRowSchema = z.object(summaryColumns);

const attributeValue = z.union([z.string(), z.number(), z.boolean()]);
export const detailRowSchema = z.object({
  ...summaryColumns,
  model: z.string(),
  description: z.string(),
  gtin: z.string(),
  condition: z.string().nullable(),
  more_images: jsonText.pipe(z.array(z.string())).catch([]),
  attributes: jsonText.pipe(z.record(z.string(), z.unknown())),
});
export const variantRowSchema = z.object({ ...offerColumns, gtin: z.string() });

const offerSql = (now: string): Record<keyof typeof offerColumns, string> => ({
  sku: "p.sku",
  price_minor: currentPrice("p", now),
  list_minor: "p.price_minor",
  currency: "p.currency",
  url: "p.url",
  image_url: "p.image_url",
  options: "p.options",
  status: "p.status",
  availability: "p.availability",
  available_from: "p.available_from",
  stocked: stockedOf("p"),
});

const summarySql = (now: string): Record<keyof typeof summaryColumns, string> => ({
  ...offerSql(now),
  name: "p.name",
  brand: "p.brand",
  category: "c.name",
  rating_value: "p.rating_value",
  rating_count: "p.rating_count",
  group: `iif(p.group_id IS NULL, NULL, (SELECT json_array(g.key, g.name, count(*), sum(v.buyable), min(v.price), max(v.price)) || ''
    FROM product_groups g, (SELECT ${isBuyable("v")} AS buyable, ${currentPrice("v", now)} AS price FROM products v
      WHERE v.group_id = p.group_id AND v.status = 'active' AND v.currency = p.currency LIMIT ${VARIANTS_READ_MAX}) v
    WHERE g.id = p.group_id))`,
});

const named = (columns: Record<string, string>): string =>
  Object.entries(columns)
    .map(([name, sql]) => `${sql} AS "${name}"`)
    .join(", ");

/** The columns of a detail, from `products p JOIN categories c`. `now` is SQL for milliseconds since the epoch. */
export const detailColumns = (now: string): string =>
  `${named(summarySql(now))}, p.model, p.description, p.gtin, p.condition, p.more_images, p.attributes`;

/** The columns of a variant, from `products p`. */
export const variantColumns = (now: string): string => `${named(offerSql(now))}, p.gtin`;

/** A summary in one cell, from the same tables. It is a list, because column names would double its length. */
export const summaryCell = (now: string): string =>
  `json_array(${Object.values(summarySql(now)).join(", ")})`;

const summaryNames = Object.keys(summarySql("0"));
/** Parses such a cell into a row. */
export const summaryCellSchema = jsonText
  .pipe(z.array(z.unknown()))
  .transform((values) => Object.fromEntries(summaryNames.map((name, index) => [name, values[index]])))
  .pipe(summaryRowSchema);

function toOffer(row: z.output<z.ZodObject<typeof offerColumns>>) {
  return {
    price: toMoney(row.price_minor, row.currency),
    ...(row.price_minor < row.list_minor && { list_price: toMoney(row.list_minor, row.currency) }),
    availability: availabilityOf(row),
    ...(row.available_from !== null && { available_from: row.available_from }),
    ...(row.url !== "" && { url: row.url }),
  };
}

const toOptions = (options: Readonly<Record<string, string>>): Variant["options"] =>
  Object.entries(options).map(([name, value]) => ({
    name: clip(plainLine(name), FIELD_MAX),
    value: clip(plainLine(value), FIELD_MAX),
  }));

export function toSummary(row: z.output<typeof summaryRowSchema>): ProductSummary {
  const { rating_value: value, rating_count: count, group } = row;
  const options = toOptions(row.options);
  return {
    sku: row.sku,
    name: clip(plainLine(row.name), NAME_MAX),
    brand: clip(plainLine(row.brand), FIELD_MAX),
    category: row.category,
    ...toOffer(row),
    ...(value !== null && { rating: { value, count: count ?? 0 } }),
    ...(options.length > 0 && { options }),
    ...(group !== null && { group: toGroup(group, row.currency) }),
  };
}

function toGroup(
  [id, name, variants, available, min, max]: [string, string, number, number, number, number],
  currency: string,
): z.output<typeof groupSchema> {
  return {
    id,
    name: clip(plainLine(name), NAME_MAX),
    variants,
    available,
    price_min: toMoney(min, currency),
    price_max: toMoney(max, currency),
  };
}

export function toVariant(row: z.output<typeof variantRowSchema>): Variant {
  return {
    sku: row.sku,
    options: toOptions(row.options),
    ...toOffer(row),
    ...(row.image_url !== "" && { image: row.image_url }),
    ...(row.gtin !== "" && { gtin: row.gtin }),
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
    ...(row.condition !== null && { condition: row.condition }),
    images: row.image_url === "" ? [] : [row.image_url, ...row.more_images],
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
