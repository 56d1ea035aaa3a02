import * as z from "zod";
import { plainLine } from "../../text/plain-text.ts";

/** One line of text without invisible characters, because callers filter by what they see. */
const line = (max: number) => z.string().overwrite(plainLine).max(max);

/** Resource URIs and prompt arguments name products by SKU, so a SKU must not contain a comma or be "summary". */
const sku = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .refine((text) => text === plainLine(text), "holds invisible characters or line breaks")
  .refine(
    (text) => !text.includes(",") && text !== "summary",
    "holds a comma, or is the reserved word summary",
  );

const currencies = new Set(Intl.supportedValuesOf("currency"));

/** A billion major units; a higher price is a mistake in the file. */
const PRICE_MAX = 100_000_000_000;
const price = z.int().min(0).max(PRICE_MAX);

const stockEntry = z.object({
  warehouse: line(64).min(1),
  quantity: z.int().min(0).max(1_000_000_000),
});

/** One product of an import file. Prices are in minor units; `cost` and `supplier_id` stay internal. */
export const productRecordSchema = z.object({
  sku,
  name: line(500).min(1),
  model: line(500).default(""),
  brand: line(200).default(""),
  description: z.string().trim().max(20_000).default(""),
  category: line(200).min(1),
  price,
  currency: z.string().refine((code) => currencies.has(code), "is not an ISO 4217 code"),
  gtin: z
    .string()
    .regex(/^(\d{8,14})?$/, "is not a GTIN of 8 to 14 digits")
    .default(""),
  image_url: z.union([z.literal(""), z.url({ protocol: /^https?$/ })]).default(""),
  status: z.enum(["active", "discontinued"]).default("active"),
  attributes: z
    .record(z.string().max(200), z.union([z.string().max(10_000), z.number(), z.boolean(), z.null()]))
    .refine((attributes) => Object.keys(attributes).length <= 1_000, "has more than 1000 keys")
    .default({}),
  cost: price.nullish(),
  supplier_id: line(200).nullish(),
  stock: z
    .array(stockEntry)
    .max(1_000)
    .refine((entries) => new Set(entries.map(({ warehouse }) => warehouse)).size === entries.length, {
      message: "names a warehouse twice",
    })
    .optional(),
});
export type ProductRecord = z.output<typeof productRecordSchema>;
