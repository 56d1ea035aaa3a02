import { type ColumnTable, fieldsOf, keyOf, nested } from "../columns.ts";
import { type Cells, type Draft, type DraftRow, type RawRow, textOf } from "../rows.ts";
import { checkPlaces, namesOfExport } from "./woocommerce-columns.ts";
import { type KeyedRow, MAIN_STOCK, type Preset, eachKeyed } from "./preset.ts";

const COLUMNS: ColumnTable = {
  sku: "sku",
  name: "name",
  description: "description",
  short_description: "description",
  brands: "brand",
  brand: "brand",
  regular_price: "price",
  sale_price: "sale.price",
  date_sale_price_starts: "sale.starts_at",
  date_sale_price_ends: "sale.ends_at",
  cost_of_goods: "cost",
  gtin_upc_ean_or_isbn: "gtin",
  meta_global_unique_id: "gtin",
  external_url: "url",
  permalink: "url",
  stock: MAIN_STOCK,
  tags: "attributes.tags",
};
/** The fields of a variation that its parent fills in. */
const INHERITED = new Set(["description", "brand", "category", "images", "attributes.tags"]);

/**
 * One row is one product. A `variable` row holds the texts of its variations and is not for sale itself; a `variation`
 * names it by SKU or as `id:N`. Rows that are `grouped`, unpublished or hidden are left out.
 */
export const woocommerce: Preset = {
  title: "a WooCommerce export",
  unit: "major",
  isLenient: true,
  async *drafts(rows: AsyncIterable<RawRow>) {
    const parents = new Map<string, KeyedRow>();
    const waiting: KeyedRow[] = [];
    const lonely = new Set<KeyedRow>();
    const variation = (product: KeyedRow, parent: KeyedRow) => {
      lonely.delete(parent);
      return variationOf(product, parent);
    };
    yield* eachKeyed(unescaped(rows), function* (product) {
      const types = typesOf(product.row);
      if (types.includes("variable")) {
        for (const name of namesOf(product.row)) parents.set(name, product);
        lonely.add(product);
      } else if (types.includes("variation")) {
        const parent = parents.get(textOf(product.row["parent"]));
        if (parent === undefined) waiting.push(product);
        else yield variation(product, parent);
      } else yield productOf(product);
    });
    // Exports list a parent first, but a sorted file may not.
    for (const product of waiting) {
      const parent = parents.get(textOf(product.row["parent"]));
      yield parent === undefined
        ? { line: product.line, problem: `parent: ${textOf(product.row["parent"])} is not in the file` }
        : variation(product, parent);
    }
    for (const { line, row } of lonely) yield { line, leftOut: whyHidden(row) ?? "without variants" };
  },
};

/** Columns whose line breaks WooCommerce writes as `\n`. */
const TEXTS = new Set(["description", "short_description"]);
const TAG = /<\/?[a-z][^<>]*>/i;
const AFTER_BLOCK =
  /<\/?(?:p|div|section|blockquote|pre|[uo]l|li|h[1-6]|table|t(?:head|body|r|d|h)|[bh]r)\b[^<>]*>$/i;
const BEFORE_BLOCK =
  /^<\/?(?:p|div|section|blockquote|pre|[uo]l|li|h[1-6]|table|t(?:head|body|r|d|h)|[bh]r)\b[^<>]*>/i;

/** Gives columns their English names, and undoes what WooCommerce's exporter does to cells: `'-3` is -3, and `\n` in a description is a line break. */
async function* unescaped(rows: AsyncIterable<RawRow>): AsyncGenerator<RawRow> {
  let names: ReadonlyMap<string, string> | undefined;
  for await (const raw of rows) {
    if ("problem" in raw) yield raw;
    else {
      names ??= namesOfExport(Object.keys(raw.cells));
      const english: Record<string, unknown> = {};
      for (const [column, value] of Object.entries(raw.cells)) {
        const name = names.get(column) ?? column;
        const cell = typeof value === "string" ? value.replace(/^'(?=[=+@-])/, "") : value;
        english[name] = typeof cell === "string" && TEXTS.has(keyOf(name)) ? withBreaks(cell) : cell;
      }
      checkPlaces(raw.line, english, names);
      // `--map` and `--set` name a column as the file does.
      yield { line: raw.line, cells: { ...raw.cells, ...english } };
    }
  }
}

/** WordPress shows a line break between words as one, also beside markup, where HTML would show a space. */
function withBreaks(cell: string): string {
  const text = cell.replaceAll(/\\?\\n/g, (written) => (written === String.raw`\n` ? "\n" : String.raw`\n`));
  if (!TAG.test(text)) return text;
  const lines = text.split("\n").map((line) => line.trim());
  return lines
    .map((line, index) => {
      const next = lines[index + 1];
      const isBreak = next !== undefined && !AFTER_BLOCK.test(line) && !BEFORE_BLOCK.test(next);
      return isBreak ? `${line}<br>` : line;
    })
    .join("\n");
}

const typesOf = (row: Cells): string[] =>
  textOf(row["type"])
    .toLowerCase()
    .split(",")
    .map((type) => type.trim());

/** The names by which a variation may call its parent. */
const namesOf = (row: Cells): string[] =>
  [textOf(row["sku"]), textOf(row["id"]) && `id:${textOf(row["id"])}`].filter(Boolean);

function whyHidden(row: Cells): "draft or archived" | "hidden" | undefined {
  const published = textOf(row["published"]);
  // 2 is a product that waits for review.
  if (published === "-1" || published === "2") return "draft or archived";
  if (published === "0" || textOf(row["visibility_in_catalog"]) === "hidden") return "hidden";
  return undefined;
}

function productOf({ line, cells, row }: KeyedRow): DraftRow {
  const hidden = whyHidden(row);
  if (hidden !== undefined) return { line, leftOut: hidden };
  if (typesOf(row).includes("grouped")) return { line, leftOut: "a set of other products" };
  const attributes = attributesOf(row).map(([name, value]) => [`attributes.${name}`, value]);
  return {
    line,
    cells,
    fields: nested({ ...Object.fromEntries(attributes), ...ownFields(row) }),
    identity: [ownHandle(row)],
  };
}

function variationOf({ line, cells, row }: KeyedRow, parent: KeyedRow): Draft | DraftRow {
  const hidden = whyHidden(parent.row) ?? whyHidden(row);
  if (hidden !== undefined) return { line, leftOut: hidden };
  const options = attributesOf(row);
  const values = options.map(([, value]) => value);
  const inherited = Object.entries(ownFields(parent.row)).filter(([field]) => INHERITED.has(field));
  const own = ownFields(row);
  const name = textOf(parent.row["name"]);
  // A value that the parent has and the variations do not choose describes all of them.
  const shared = attributesOf(parent.row).filter(([each]) => !options.some(([option]) => option === each));
  return {
    line,
    cells: { ...cells, ID: textOf(parent.cells["ID"]) },
    fields: nested({
      ...Object.fromEntries(shared.map(([each, value]) => [`attributes.${each}`, value])),
      ...Object.fromEntries(inherited),
      ...own,
      name: values.length === 0 ? own["name"] : `${name} - ${values.join(" / ")}`,
      ...(values.length > 0 && {
        group: { id: handleOf(parent.row), name },
        options: Object.fromEntries(options),
      }),
    }),
    identity: values.length === 0 ? [ownHandle(row)] : [handleOf(parent.row), ...values],
  };
}

/** The same at every export: the SKU, else the ID, else the name. */
const handleOf = (row: Cells): string => textOf(row["sku"]) || idHandle(row) || textOf(row["name"]);

/** Tells a product from others with its SKU. */
const ownHandle = (row: Cells): string => idHandle(row) || handleOf(row);

const idHandle = (row: Cells): string => textOf(row["id"]) && `id-${textOf(row["id"])}`;

function ownFields(row: Cells): Record<string, unknown> {
  const category = categoryOf(textOf(row["categories"]));
  const images = withCommas(textOf(row["images"]));
  const fields = fieldsOf(row, COLUMNS);
  for (const list of ["brand", "attributes.tags"])
    if (fields[list] !== undefined) fields[list] = withCommas(fields[list]);
  return {
    ...fields,
    ...availabilityOf(row),
    ...(category !== "" && { category }),
    ...(images !== "" && { images }),
  };
}

/** A comma in a value of a list is written `\,`. */
const withCommas = (text: string): string => text.replaceAll(String.raw`\,`, ",");

/** The deepest of the paths in `Clothing, Clothing > Hoodies`. */
function categoryOf(text: string): string {
  const paths = text.split(/(?<!\\),/).map((path) => withCommas(path).trim());
  const depth = (path: string) => path.split(">").length;
  return paths.reduce((deepest, path) => (depth(path) > depth(deepest) ? path : deepest), paths[0] ?? "");
}

/** A quantity says whether there is stock. Without one, the columns of availability do. */
function availabilityOf(row: Cells): Record<string, string> {
  const quantity = textOf(row["stock"]);
  const backorders = /^(?:1|yes|notify)$/i.test(textOf(row["backorders_allowed"]));
  if (quantity !== "" && quantity !== "parent")
    return backorders && !(Number(quantity) > 0) ? { availability: "backorder" } : {};
  const inStock = textOf(row["in_stock"]).toLowerCase();
  const byCell: Readonly<Record<string, string>> = {
    1: "in_stock",
    yes: "in_stock",
    0: "out_of_stock",
    no: "out_of_stock",
    backorder: "backorder",
    onbackorder: "backorder",
  };
  const availability = byCell[inStock];
  return { [MAIN_STOCK]: "", ...(availability !== undefined && { availability }) };
}

/** `Attribute 1 name` and `Attribute 1 value(s)`, as many as the file has. */
function attributesOf(row: Cells): (readonly [name: string, value: string])[] {
  const found: (readonly [string, string])[] = [];
  for (let number = 1; row[`attribute_${number}_name`] !== undefined; number++) {
    const name = textOf(row[`attribute_${number}_name`]);
    const value = withCommas(textOf(row[`attribute_${number}_value_s`]));
    if (name !== "" && value !== "") found.push([name, value]);
  }
  return found;
}
