import * as z from "zod";
import type { Availability } from "../catalog/availability.ts";
import { type ProductDetail, type Variant, countedAs } from "../catalog/product.ts";
import { clip } from "../text/plain-text.ts";

// Products as UCP describes them. A product without variants is its own only variant.

/** Characters of a description in a list of products. */
const LISTED_MAX = 500;

const price = z.strictObject({
  amount: z.int().describe("In minor units, such as cents"),
  currency: z.string().describe("ISO 4217 code"),
});
const description = z.strictObject({ plain: z.string() });
const media = z.array(z.strictObject({ type: z.literal("image"), url: z.string() }));
const selected = z.array(z.strictObject({ name: z.string(), label: z.string() }));

export const variantSchema = z.strictObject({
  id: z.string(),
  sku: z.string(),
  title: z.string(),
  description,
  price,
  list_price: price.optional().describe("The regular price, while a sale runs"),
  availability: z.strictObject({ available: z.boolean(), status: z.string() }).optional(),
  url: z.string().optional(),
  barcodes: z.array(z.strictObject({ type: z.literal("GTIN"), value: z.string() })).optional(),
  options: selected.optional(),
  media: media.optional(),
});
export type UcpVariant = z.output<typeof variantSchema>;

const productShape = {
  id: z.string(),
  title: z.string(),
  description,
  url: z.string().optional(),
  categories: z.array(z.strictObject({ value: z.string(), taxonomy: z.literal("merchant") })),
  price_range: z.strictObject({ min: price, max: price }),
  media: media.optional(),
  rating: z.strictObject({ value: z.number(), scale_max: z.literal(5), count: z.int() }).optional(),
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
};
export const productSchema = z.strictObject({ ...productShape, variants: z.array(variantSchema) });

export const detailSchema = z.strictObject({
  ...productSchema.shape,
  options: z
    .array(
      z.strictObject({
        name: z.string(),
        values: z.array(z.strictObject({ label: z.string(), available: z.boolean(), exists: z.boolean() })),
      }),
    )
    .optional(),
  selected: selected.optional(),
});

const toPrice = ({ amount_minor, currency }: { amount_minor: number; currency: string }) => ({
  amount: amount_minor,
  currency,
});

const toMedia = (urls: readonly string[]) => {
  const images = urls.flatMap((url) => toUrl(url) ?? []).map((url) => ({ type: "image" as const, url }));
  return images.length > 0 ? { media: images } : {};
};

/** Escapes what a URI must not hold, such as letters outside ASCII; undefined for text that is no URL. */
const toUrl = (url = ""): string | undefined => URL.parse(url)?.href;

const withUrl = (url: string | undefined) => {
  const href = toUrl(url);
  return href === undefined ? {} : { url: href };
};

/** Whether something can be bought now or ordered ahead. */
export const isAvailable = (availability: Availability): boolean =>
  ["in_stock", "preorder", "backorder"].includes(availability);

/** `name` is the title of a variant without options. */
export function toVariant({ options, availability, ...variant }: Variant, name: string): UcpVariant {
  const title = options.map(({ value }) => value).join(" / ") || name;
  return {
    id: variant.sku,
    sku: variant.sku,
    title,
    description: { plain: title },
    price: toPrice(variant.price),
    ...(variant.list_price && { list_price: toPrice(variant.list_price) }),
    ...(availability !== "unknown" && {
      availability: { available: isAvailable(availability), status: availability },
    }),
    ...withUrl(variant.url),
    ...(variant.gtin !== undefined && { barcodes: [{ type: "GTIN" as const, value: variant.gtin }] }),
    ...(options.length > 0 && { options: toSelected(options) }),
    ...toMedia(variant.image === undefined ? [] : [variant.image]),
  };
}

export const toSelected = (options: Variant["options"]) =>
  options.map(({ name, value }) => ({ name, label: value }));

/** Returns the variant that a product's detail is about. */
export function ownVariant({ options = [], images: [image], gtin, ...detail }: ProductDetail): Variant {
  const { sku, price: own, list_price, availability, url } = detail;
  return {
    sku,
    options,
    price: own,
    availability,
    ...(list_price && { list_price }),
    ...(url !== undefined && { url }),
    ...(gtin !== "" && { gtin }),
    ...(image !== undefined && { image }),
  };
}

/** Describes a product by the detail of the variant that is shown first, without the list of its variants. */
export function toProduct(detail: ProductDetail): z.output<z.ZodObject<typeof productShape>> {
  const { name, group, brand, model, condition, category, rating, attributes } = detail;
  return {
    id: countedAs(detail),
    title: group?.name ?? name,
    description: { plain: detail.description || name },
    ...withUrl(detail.url),
    categories: [{ value: category, taxonomy: "merchant" }],
    price_range: {
      min: toPrice(group?.price_min ?? detail.price),
      max: toPrice(group?.price_max ?? detail.price),
    },
    ...toMedia(detail.images),
    ...(rating && { rating: { value: rating.value, scale_max: 5, count: rating.count } }),
    metadata: {
      ...attributes,
      ...(brand !== "" && { brand }),
      ...(model !== "" && { model }),
      ...(condition !== undefined && { condition }),
    },
  };
}

/** Describes a product in a list, with these variants. */
export function toListed<T extends UcpVariant>(detail: ProductDetail, variants: T[]) {
  const { description: whole, metadata: _, ...product } = toProduct(detail);
  const { brand } = detail;
  return {
    ...product,
    description: { plain: clip(whole.plain, LISTED_MAX) },
    metadata: brand === "" ? {} : { brand },
    variants,
  };
}
