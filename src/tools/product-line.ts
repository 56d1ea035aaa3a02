import type { ProductSummary, Variant } from "../catalog/product.ts";

// The text half of answers about products. Texts of third parties hold no line break, so none starts a line of its own.

type Offer = Pick<Variant, "price" | "list_price" | "availability" | "available_from">;

/** A price and availability, such as "$79.99 (regular $99.99), preorder from 2026-12-24". */
export const offerText = ({ price, list_price, availability, available_from }: Offer): string =>
  `${price.formatted}${list_price === undefined ? "" : ` (regular ${list_price.formatted})`}, ${availability}${available_from === undefined ? "" : ` from ${available_from}`}`;

/** Options, such as "Size M, Color Blue". */
export const optionsText = (options: Variant["options"]): string =>
  options.map(({ name, value }) => `${name} ${value}`).join(", ");

export const ratingText = ({ value, count }: NonNullable<ProductSummary["rating"]>): string =>
  `rated ${value} of 5 (${count})`;

/** A group's variants, such as "8 variants (5 available) of Shirt, $19.99 to $24.99, group shirt". */
export function groupText({
  id,
  name,
  variants,
  available,
  price_min,
  price_max,
}: NonNullable<ProductSummary["group"]>): string {
  const range =
    price_min.amount_minor === price_max.amount_minor
      ? price_min.formatted
      : `${price_min.formatted} to ${price_max.formatted}`;
  return `${variants} variants (${available} available) of ${name}, ${range}, group ${id}`;
}

/** Everything that a search answers about a product, in one line. */
export function summaryLine(product: ProductSummary): string {
  const { name, brand, category, rating, options = [], group, url } = product;
  return [
    name,
    brand,
    `${offerText(product)} (${category})`,
    optionsText(options),
    rating === undefined ? "" : ratingText(rating),
    group === undefined ? "" : groupText(group),
    url ?? "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}
