import { type DraftRow, type RawRow, isObject, present, textOf } from "../rows.ts";
import { merchantDraft } from "./google.ts";
import { type Preset, keyed } from "./preset.ts";

/**
 * A feed of the Agentic Commerce Protocol: products with their variants, and prices in minor units. ChatGPT's merchant
 * feed is flat, with one variant per row in the Merchant Center's names.
 */
export const acp: Preset = {
  title: "an ACP feed",
  decimal: ".",
  isLenient: true,
  async *drafts(rows: AsyncIterable<RawRow>) {
    for await (const row of rows) {
      if ("problem" in row) yield row;
      else if (Array.isArray(row.cells["variants"])) yield* variantsOf(row.line, row.cells);
      else yield merchantDraft(keyed(row));
    }
  },
};

const listOf = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isObject) : [];
const objectOf = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});

function* variantsOf(line: number, product: Readonly<Record<string, unknown>>): Generator<DraftRow> {
  const variants = listOf(product["variants"]);
  if (variants.length === 0) yield { line, leftOut: "without variants" };
  for (const variant of variants) {
    const options = listOf(variant["variant_options"]).map(
      ({ name, value }) => [textOf(name), textOf(value)] as const,
    );
    const values = options.map(([, value]) => value);
    const title = textOf(product["title"]) || textOf(variant["title"]);
    const price = objectOf(variant["price"]);
    const listed = objectOf(variant["list_price"]);
    const isReduced = Number(listed["amount"]) > Number(price["amount"]);
    const id = textOf(product["id"]);
    const fields = present({
      sku: textOf(variant["id"]),
      name: textOf(variant["title"]) || title,
      description: descriptionOf(variant["description"]) || descriptionOf(product["description"]),
      url: textOf(variant["url"]) || textOf(product["url"]),
      category: categoryOf(variant["categories"]) || categoryOf(product["categories"]),
      price_minor: isReduced ? listed["amount"] : price["amount"],
      currency: textOf(price["currency"]),
      sale: isReduced ? { price_minor: price["amount"] } : undefined,
      availability: availabilityOf(objectOf(variant["availability"])),
      condition: textOf(variant["condition"]),
      gtin: gtinOf(variant["barcodes"]),
      images: [...imagesOf(variant["media"]), ...imagesOf(product["media"])],
      ...(options.length > 0 && { group: { id, name: title }, options: Object.fromEntries(options) }),
    });
    yield { line, fields, cells: { ...product, ...variant }, identity: [id, ...values], isKeyed: true };
  }
}

function descriptionOf(value: unknown): string {
  const { plain, html, markdown } = objectOf(value);
  return textOf(plain) || textOf(html) || textOf(markdown) || textOf(value);
}

/** The merchant's own category, else the first. */
function categoryOf(value: unknown): string {
  const categories = listOf(value);
  return textOf((categories.find(({ taxonomy }) => taxonomy === "merchant") ?? categories[0])?.["value"]);
}

const availabilityOf = ({ status, available }: Record<string, unknown>): string =>
  textOf(status) || (typeof available === "boolean" ? (available ? "in_stock" : "out_of_stock") : "");

const gtinOf = (value: unknown): string =>
  textOf(listOf(value).find(({ type }) => /^(?:gtin|ean|upc|isbn)/i.test(textOf(type)))?.["value"]);

const imagesOf = (value: unknown): string[] =>
  listOf(value)
    .filter(({ type }) => type === "image" || type === undefined)
    .map(({ url }) => textOf(url));
