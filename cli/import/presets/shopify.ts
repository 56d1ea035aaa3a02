import { byKey, type ColumnTable, fieldsOf, nested } from "../columns.ts";
import { type Cells, type Draft, type DraftRow, type RawRow, textOf } from "../rows.ts";
import { MAIN_STOCK, type Preset } from "./preset.ts";

/** Columns of a product: of Shopify's export, and of its newer template. */
const PRODUCT: ColumnTable = {
  title: "name",
  body_html: "description",
  description: "description",
  vendor: "brand",
  product_category: "category",
  custom_product_type: "category",
  type: "category",
  tags: "attributes.tags",
  google_shopping_condition: "condition",
  rating_product_metafields_reviews_rating: "rating.value",
  rating_count_product_metafields_reviews_rating_count: "rating.count",
};

/** Columns that each variant fills in. */
const VARIANT: ColumnTable = {
  variant_sku: "sku",
  sku: "sku",
  variant_price: "price",
  price: "price",
  variant_compare_at_price: "list_price",
  compare_at_price: "list_price",
  cost_per_item: "cost",
  variant_barcode: "gtin",
  barcode: "gtin",
  google_shopping_mpn: "model",
  variant_inventory_qty: MAIN_STOCK,
  inventory_quantity: MAIN_STOCK,
};

const OPTIONS = [1, 2, 3];
/** Shopify's limit is 2,048 variants and 250 images. */
const ROWS_MAX = 5_000;
/** A product without options has one variant, of this value. */
const NO_OPTION = "Default Title";

interface Line {
  line: number;
  cells: Cells;
  row: Record<string, unknown>;
}

/**
 * A product spans the rows of one handle: the first holds the product's texts and a variant, the others a variant, an
 * image, or both.
 */
export const shopify: Preset = {
  title: "a Shopify export",
  unit: "major",
  decimal: ".",
  isLenient: true,
  async *drafts(rows: AsyncIterable<RawRow>) {
    let block: Line[] = [];
    for await (const raw of rows) {
      if ("problem" in raw) {
        yield raw;
        continue;
      }
      const { line, cells } = raw;
      const row = byKey(cells);
      const handle = handleOf(row);
      const [first] = block;
      if (first !== undefined && (handleOf(first.row) !== handle || block.length >= ROWS_MAX)) {
        yield* variantsOf(block);
        block = [];
      }
      if (handle === "") yield { line, problem: "has no handle" };
      else block.push({ line, cells, row });
    }
    yield* variantsOf(block);
  },
};

const handleOf = (row: Cells): string => textOf(row["handle"]) || textOf(row["url_handle"]);
const isNo = (value: unknown): boolean => /^(?:false|no|0)$/i.test(textOf(value));

function* variantsOf(block: readonly Line[]): Generator<DraftRow> {
  const [first] = block;
  if (first === undefined) return;
  const lines = block.filter((each) => each === first || isVariant(each.row));
  const status = textOf(first.row["status"]).toLowerCase();
  const isDraft = status !== "" && status !== "active";
  if (isDraft || isNo(first.row["published"] ?? first.row["published_on_online_store"])) {
    for (const { line } of lines) yield { line, leftOut: isDraft ? "draft or archived" : "hidden" };
    return;
  }
  if (textOf(first.row["title"]) === "") {
    for (const { line } of lines)
      yield { line, problem: "has a handle without a title: the rows of a product must follow one another" };
    return;
  }
  const images = block.flatMap(({ row }) => [textOf(row["image_src"]), textOf(row["product_image_url"])]);
  for (const each of lines) yield variantOf(first, each, images);
}

const isVariant = (row: Cells): boolean =>
  ["variant_price", "price", "variant_sku", "sku", "option1_value"].some(
    (column) => textOf(row[column]) !== "",
  );

function variantOf(first: Line, { line, cells, row }: Line, images: readonly string[]): Draft {
  const handle = handleOf(first.row);
  const options = OPTIONS.flatMap((number) => {
    const name = textOf(first.row[`option${number}_name`]);
    const value = textOf(row[`option${number}_value`]);
    return name === "" || value === "" || value === NO_OPTION ? [] : [[name, value] as const];
  });
  const values = options.map(([, value]) => value);
  const { name = "", ...product } = fieldsOf(first.row, PRODUCT);
  const own = [textOf(row["variant_image"]), textOf(row["variant_image_url"])];
  const fields = nested({
    ...metafieldsOf(first.cells),
    ...product,
    ...fieldsOf(row, VARIANT),
    ...availabilityOf(row),
    name: [name, values.join(" / ")].filter(Boolean).join(" - "),
    images: [...own, ...images],
    ...(values.length > 0 && { group: { id: handle, name }, options: Object.fromEntries(options) }),
  });
  const merged = {
    ...first.cells,
    ...Object.fromEntries(Object.entries(cells).filter(([, cell]) => cell !== "")),
  };
  return { line, fields, cells: merged, identity: [handle, ...values] };
}

/** Shopify sells a variant without limit if it is not tracked, and on backorder if its policy says so. */
function availabilityOf(row: Cells): Record<string, string> {
  const tracker = row["variant_inventory_tracker"] ?? row["inventory_tracker"];
  const quantity = textOf(row["variant_inventory_qty"]) || textOf(row["inventory_quantity"]);
  const policy = textOf(row["variant_inventory_policy"]) || textOf(row["continue_selling_when_out_of_stock"]);
  if (tracker !== undefined && textOf(tracker) === "" && !(Number(quantity) > 0))
    return { availability: "in_stock", [MAIN_STOCK]: "" };
  return /^continue$/i.test(policy) && quantity !== "" && !(Number(quantity) > 0)
    ? { availability: "backorder" }
    : {};
}

/** `Fabric (product.metafields.custom.fabric)` is the attribute Fabric. */
function metafieldsOf(cells: Cells): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [column, cell] of Object.entries(cells)) {
    const [, name] = /^(.+) \(product\.metafields\.(?!reviews\.)[\w.-]+\)$/.exec(column) ?? [];
    if (name !== undefined && textOf(cell) !== "") found[`attributes.${name}`] = textOf(cell);
  }
  return found;
}
