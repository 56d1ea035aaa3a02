import * as z from "zod";
import { PATH_SEPARATOR } from "../category-path.ts";
import { plainLine } from "../../text/plain-text.ts";
import { isObject } from "./read/rows.ts";

/** One line of text without invisible characters, because callers filter by what they see. */
const line = (max: number) => z.string().overwrite(plainLine).max(max);

/**
 * Whether a text can't be a SKU, because resource URIs and prompt arguments name products by it, or because a spreadsheet has
 * shortened a long number to `8.71E+12`.
 */
export const isReserved = (sku: string): boolean => /,|^summary$|^\d(?:\.\d+)?E\+\d+$/.test(sku);

const sku = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .refine((text) => text === plainLine(text), "holds invisible characters or line breaks")
  .refine((text) => !isReserved(text), {
    error: ({ input }) =>
      `"${String(input)}" holds a comma, is the reserved word summary, or is a number that a spreadsheet has shortened`,
  });

const currencies = new Set(Intl.supportedValuesOf("currency"));
/** Whether a text is a currency code of ISO 4217. */
export const isCurrency = (code: string): boolean => currencies.has(code);

/** A billion major units; a higher price is a mistake in the file. */
const PRICE_MAX = 100_000_000_000;
const price = z.int().min(0).max(PRICE_MAX);

/** A path such as "Home > Lamps". Its parts are trimmed, and empty parts are left out. */
const category = line(200)
  .overwrite((path) =>
    path
      .split(">")
      .map((part) => part.trim())
      .filter(Boolean)
      .join(PATH_SEPARATOR),
  )
  .min(1);

/** Normalized, because a URL may contain line breaks and invisible characters only when they are encoded. */
const webUrl = z.url({ protocol: /^https?$/, normalize: true }).max(2_048);

// `abort`: a text that is no date has no time to write.
const instant = z.iso
  .datetime({ offset: true, abort: true })
  .overwrite((text) => new Date(text).toISOString());

const sale = z
  .object({ price_minor: price, starts_at: instant.optional(), ends_at: instant.optional() })
  .refine(
    ({ starts_at, ends_at }) => starts_at === undefined || ends_at === undefined || starts_at < ends_at,
    {
      path: ["ends_at"],
      message: "is not after starts_at",
    },
  );

const stockEntry = z.object({
  warehouse: line(64).min(1),
  quantity: z.int().min(0).max(1_000_000_000),
});

const scalar = z.union([z.string().max(10_000), z.number(), z.boolean(), z.null()]);

export const feedAvailability = z.enum(["in_stock", "out_of_stock", "preorder", "backorder", "discontinued"]);
export const feedCondition = z.enum(["new", "refurbished", "used"]);

/** The fields of a row, by name. */
export const productFields = z.object({
  sku,
  name: line(500).min(1),
  category,
  /** The regular price, in minor units of the currency (ISO 4217). */
  price_minor: price,
  currency: z.string().trim().toUpperCase().refine(isCurrency, "is not an ISO 4217 code"),
  /** While it runs, callers see its price beside the regular one. A sale that is not lower is left out. */
  sale: sale.optional(),
  /** Rows with the same group id are variants of one product. */
  group: z.object({ id: line(200).min(1), name: line(500).min(1) }).optional(),
  /** The choices that tell a variant from the others of its group, such as {"Size": "M"}. Their order is kept. */
  options: z
    .record(line(100).min(1), line(200).min(1))
    .refine((options) => Object.keys(options).length <= 20, "has more than 20 options")
    .default({}),
  url: z.union([z.literal(""), webUrl]).default(""),
  images: z.array(webUrl).max(100).default([]),
  condition: feedCondition.optional(),
  rating: z.object({ value: z.number().min(0).max(5), count: z.int().min(0) }).optional(),
  availability: feedAvailability.optional(),
  /** A day, as YYYY-MM-DD. */
  available_from: z.iso.date().optional(),
  /** Absent if the quantities are unknown. */
  stock: z
    .array(stockEntry)
    .max(1_000)
    .refine((entries) => new Set(entries.map(({ warehouse }) => warehouse)).size === entries.length, {
      message: "names a warehouse twice",
    })
    .optional(),
  brand: line(200).default(""),
  model: line(500).default(""),
  description: z.string().trim().max(20_000).default(""),
  gtin: z
    .string()
    .regex(/^(\d{8,14})?$/, "is not a GTIN of 8 to 14 digits")
    .default(""),
  attributes: z
    .record(z.string().max(200), scalar)
    .refine((attributes) => Object.keys(attributes).length <= 1_000, "has more than 1000 keys")
    .default({}),
  status: z.enum(["active", "discontinued"]).default("active"),
  /** Internal: no caller sees it. In minor units. */
  cost_minor: price.optional(),
  /** Internal: no caller sees it. */
  supplier_id: line(200).optional(),
});

/** Names of fields that a row may use: those of the schema, and earlier names that are still read. */
export const PRODUCT_FIELD_NAMES: readonly string[] = [...Object.keys(productFields.shape), "image_url"];

/**
 * One row of an import file: a product, or one variant of a product. `null` stands for an absent field, and `image_url` for
 * a single image.
 */
export const productRecordSchema = z.preprocess(
  readEarlierNames,
  productFields
    .refine(({ group, options }) => group !== undefined || Object.keys(options).length === 0, {
      path: ["options"],
      message: "need a group: without one there is nothing to choose from",
    })
    .transform(({ sale: offered, ...product }) => ({
      ...product,
      ...(offered !== undefined && offered.price_minor < product.price_minor && { sale: offered }),
      // An empty list says that no warehouse has a unit.
      ...(product.stock?.length === 0 &&
        product.availability === undefined && { availability: "out_of_stock" as const }),
    })),
);
export type ProductRecord = z.output<typeof productRecordSchema>;

function readEarlierNames(row: unknown): unknown {
  if (!isObject(row)) return row;
  const fields = withoutNulls(row);
  const { image_url: image, images, sale: offered } = fields;
  return {
    ...fields,
    ...(images === undefined && image !== undefined && image !== "" && { images: [image] }),
    ...(isObject(offered) && { sale: withoutNulls(offered) }),
  };
}

const withoutNulls = (value: Record<string, unknown>): Record<string, unknown> =>
  Object.values(value).includes(null)
    ? Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
    : value;
