import { type ColumnTable, fieldsOf, nested } from "../columns.ts";
import { type Cells, type Draft, type DraftRow, type RawRow, textOf } from "../rows.ts";
import { type KeyedRow, MAIN_STOCK, type Preset, eachKeyed } from "./preset.ts";

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

/** Characters of products that are kept for rows that stand apart from them. */
const KEPT_MAX = 32_000_000;

/** Groups of rows that wait for their product's texts. */
const WAITING_MAX = 10_000;

/** The row with a product's texts, and the product's images. */
interface Product {
  first: KeyedRow;
  images: string[];
}

/**
 * A product spans the rows of one handle: one holds the product's texts and a variant, the others a variant, an image, or
 * both. Shopify writes them one after the other, but a file that was sorted may not.
 */
export const shopify: Preset = {
  title: "a Shopify export",
  unit: "major",
  decimal: ".",
  isLenient: true,
  async *drafts(rows: AsyncIterable<RawRow>) {
    const products = new KeptProducts();
    /** Rows that come before the row with their product's texts. */
    const waiting: KeyedRow[][] = [];
    let block: KeyedRow[] = [];
    function* endBlock(): Generator<DraftRow> {
      if (block.length === 0) return;
      const product = products.of(block);
      if (product !== undefined) yield* variantsOf(block, product);
      else if (waiting.length < WAITING_MAX) waiting.push(block);
      else yield* untitled(block);
      block = [];
    }
    yield* eachKeyed(rows, function* (row) {
      const handle = handleOf(row.row);
      const [first] = block;
      if (first !== undefined && (handleOf(first.row) !== handle || block.length >= ROWS_MAX))
        yield* endBlock();
      if (handle === "") yield { line: row.line, problem: "has no handle" };
      else block.push(row);
    });
    yield* endBlock();
    for (const rest of waiting) {
      const product = products.of(rest);
      yield* product === undefined ? untitled(rest) : variantsOf(rest, product);
    }
  },
};

const untitled = (block: readonly KeyedRow[]): DraftRow[] =>
  block.map(({ line, row }) => ({
    line,
    problem: `belongs to the product ${handleOf(row)}, but no row near it has that product's title. Sort the file by its handles`,
  }));

/** The products that were read last, as many as memory should hold. */
class KeptProducts {
  readonly #kept = new Map<string, Product>();
  #size = 0;

  /** Returns the product of the rows of one handle; undefined if none of them, and none before, has its texts. */
  of(block: readonly KeyedRow[]): Product | undefined {
    const [first] = block;
    if (first === undefined) return undefined;
    const handle = handleOf(first.row);
    const titled = block.find(({ row }) => textOf(row["title"]) !== "");
    const images = block
      .flatMap(({ row }) => [textOf(row["image_src"]), textOf(row["product_image_url"])])
      .filter(Boolean);
    const known = this.#kept.get(handle);
    if (known !== undefined) {
      known.images.push(...images);
      return known;
    }
    if (titled === undefined) return undefined;
    const product = { first: titled, images };
    this.#kept.set(handle, product);
    this.#size += sizeOf(titled);
    for (const [oldest, { first: row }] of this.#kept) {
      if (this.#size <= KEPT_MAX) break;
      this.#kept.delete(oldest);
      this.#size -= sizeOf(row);
    }
    return product;
  }
}

/** Characters of a row, of which each is held once for both names of its cell. */
const sizeOf = ({ cells }: KeyedRow): number =>
  Object.values(cells).reduce<number>((size, cell) => size + textOf(cell).length, 0);

const handleOf = (row: Cells): string => textOf(row["handle"]) || textOf(row["url_handle"]);
const isNo = (value: unknown): boolean => /^(?:false|no|0)$/i.test(textOf(value));

function* variantsOf(block: readonly KeyedRow[], { first, images }: Product): Generator<DraftRow> {
  const lines = block.filter((each) => each === first || isVariant(each.row));
  const status = textOf(first.row["status"]).toLowerCase();
  const isDraft = status !== "" && status !== "active";
  if (isDraft || isNo(first.row["published"] ?? first.row["published_on_online_store"])) {
    for (const { line } of lines) yield { line, leftOut: isDraft ? "draft or archived" : "hidden" };
    return;
  }
  for (const each of lines) yield variantOf(first, each, images);
}

const isVariant = (row: Cells): boolean =>
  ["variant_price", "price", "variant_sku", "sku", "option1_value"].some(
    (column) => textOf(row[column]) !== "",
  );

function variantOf(first: KeyedRow, { line, cells, row }: KeyedRow, images: readonly string[]): Draft {
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
