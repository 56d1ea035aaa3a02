import * as z from "zod";
import { earlierAvailabilitySchema, toEarlierAvailability } from "../../catalog/availability.ts";
import { moneySchema } from "../../catalog/money.ts";
import type { ProductDetail, ProductSummary } from "../../catalog/product.ts";

// A product as version 1 of search_products and get_product answers it.

export const earlierSummarySchema = z.strictObject({
  sku: z.string(),
  name: z.string(),
  brand: z.string(),
  category: z.string(),
  price: moneySchema,
  availability: earlierAvailabilitySchema,
});

export const earlierDetailSchema = z.strictObject({
  ...earlierSummarySchema.shape,
  model: z.string(),
  description: z.string(),
  gtin: z.string(),
  image_url: z.string(),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  truncated: z.boolean().describe("True where the description or the attributes were cut"),
});

export const toEarlierSummary = ({
  sku,
  name,
  brand,
  category,
  price,
  availability,
}: ProductSummary): z.output<typeof earlierSummarySchema> => ({
  sku,
  name,
  brand,
  category,
  price,
  availability: toEarlierAvailability(availability),
});

export function toEarlierDetail(product: ProductDetail): z.output<typeof earlierDetailSchema> {
  const { model, description, gtin, images, attributes, truncated } = product;
  const [image_url = ""] = images;
  return { ...toEarlierSummary(product), model, description, gtin, image_url, attributes, truncated };
}
