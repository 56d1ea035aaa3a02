import { type ColumnTable, fieldsOf, nested } from "../columns.ts";
import { type Draft, textOf } from "../rows.ts";
import { type KeyedRow, MAIN_STOCK, type Preset, eachKeyed } from "./preset.ts";

/** Attributes of Google's product data specification, and the names that ChatGPT's merchant feed gives them. */
const COLUMNS: ColumnTable = {
  id: "sku",
  item_id: "sku",
  title: "name",
  description: "description",
  // Atom's own names.
  summary: "description",
  content: "description",
  link: "url",
  url: "url",
  product_type: "category",
  product_category: "category",
  brand: "brand",
  mpn: "model",
  gtin: "gtin",
  condition: "condition",
  price: "price",
  currency: "currency",
  sale_price: "sale.price",
  availability: "availability",
  availability_date: "available_from",
  cost_of_goods_sold: "cost",
  quantity: MAIN_STOCK,
  inventory_quantity: MAIN_STOCK,
  item_group_id: "group.id",
  group_id: "group.id",
  item_group_title: "group.name",
  star_rating: "rating.value",
  product_review_rating: "rating.value",
  review_count: "rating.count",
  product_review_count: "rating.count",
};
const IMAGES = ["image_link", "image_url", "additional_image_link", "additional_image_urls"];
/** The options of variants, by the specification. They are attributes of a product that has no variants. */
const OPTIONS: ColumnTable = { color: "Color", size: "Size", material: "Material", pattern: "Pattern" };

/** A Merchant Center feed, as TSV, CSV, RSS or Atom: one row or item is one variant. */
export const google: Preset = {
  title: "a Google Merchant feed",
  unit: "major",
  decimal: ".",
  isLenient: true,
  drafts: (rows) => eachKeyed(rows, (row) => [merchantDraft(row)]),
};

export function merchantDraft({ line, cells, row }: KeyedRow): Draft {
  const flat: Record<string, unknown> = fieldsOf(row, COLUMNS);
  const options = fieldsOf(row, OPTIONS);
  const sku = textOf(flat["sku"]);
  const group = textOf(flat["group.id"]);
  const values = Object.values(options);
  const category = textOf(row["google_product_category"]);
  // The taxonomy's number names nothing that a person would filter by.
  if (flat["category"] === undefined && !/^\d*$/.test(category)) flat["category"] = category;
  if (textOf(flat["category"]).includes(",")) flat["category"] = firstPath(textOf(flat["category"]));
  const [starts = "", ends = ""] = textOf(row["sale_price_effective_date"]).split("/");
  const images = IMAGES.flatMap((name) => row[name] ?? []);
  const fields = nested({
    ...flat,
    images,
    "sale.starts_at": starts || textOf(row["sale_price_start_date"]),
    "sale.ends_at": ends || textOf(row["sale_price_end_date"]),
    ...(group !== ""
      ? { options, "group.name": textOf(flat["group.name"]) || withoutValues(textOf(flat["name"]), values) }
      : { attributes: options }),
  });
  return { line, cells, fields, identity: [group || sku || textOf(flat["name"]), ...values], isKeyed: true };
}

/** `Apparel > Coats, Sale > Coats` lists two paths, but `Salt, Pepper & Spices` is one. */
const firstPath = (text: string): string => {
  const paths = text.split(/,\s*(?=[^\s,>][^,>]*>)/);
  return paths.length > 1 && (paths[0] ?? "").includes(">") ? (paths[0] ?? text) : text;
};

/** The title of a product without the option values at its end: `Rain Coat - Blue / M` is a `Rain Coat`. */
function withoutValues(title: string, values: readonly string[]): string {
  let name = title;
  for (let isShorter = true; isShorter;) {
    isShorter = false;
    for (const value of values) {
      const rest = withoutEnd(name, /[\s)\]]/);
      if (rest.slice(-value.length).toLowerCase() !== value.toLowerCase()) continue;
      const shorter = withoutEnd(rest.slice(0, -value.length), /[\s,;:/|([–—-]/);
      if (shorter === "") continue;
      name = shorter;
      isShorter = true;
    }
  }
  return name;
}

/** The text without such characters at its end. A pattern that ends in `+$` takes quadratic time for a long run of them. */
function withoutEnd(text: string, character: RegExp): string {
  let end = text.length;
  while (end > 0 && character.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
