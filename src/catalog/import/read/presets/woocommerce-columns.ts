import { clip, plainLine } from "../../../../text/plain-text.ts";
import { keyOf } from "../columns.ts";
import { ForCommand } from "../notes.ts";
import { type Cells, textOf } from "../rows.ts";

// WooCommerce translates the names of its columns to the user's language, but not their order, nor codes such as `simple`.

/** The columns of a full export up to the last one that is needed. Those that are neither read nor checked have no name. */
const ORDER =
  "ID,type,sku,gtin_upc_ean_or_isbn,name,published,,visibility_in_catalog,short_description,description,date_sale_price_starts,date_sale_price_ends,tax_status,,in_stock,stock,,backorders_allowed,,,,,,reviews,note,sale_price,regular_price,categories,tags,,images,downloads,,parent,,,,external_url,,".split(
    ",",
  );
const ADVICE = "Export all columns, or export in English (your WordPress profile).";
const FLAGS = "Or add --from plain and --map.";
const GTIN = 3;
const WEIGHT = 19;
const PRICE = /^[\d.,]*$/;
const FLAG = /^[01]?$/;
const WORDS = /^$|[^\d.,]/;
/** The cells by which a column is recognised. A price must not be read from a column beside it. */
const FORMS: Readonly<Record<string, RegExp>> = {
  ID: /^\d+$/,
  type: /^[a-z]/,
  published: /^(-1|[012])$/,
  visibility_in_catalog: /^(visible|catalog|search|hidden)$/,
  tax_status: /^(taxable|shipping|none)?$/,
  in_stock: /^([01]|backorder)$/,
  backorders_allowed: /^([01]|notify)$/,
  reviews: /^[01]$/,
  note: WORDS,
  sale_price: PRICE,
  regular_price: PRICE,
  categories: WORDS,
  images: /^$|\//,
  downloads: /^-?\d*$/,
  visible_: FLAG,
  global_: FLAG,
};
/** A name for brands that WooCommerce's translations use. Its place differs between shops. */
const BRANDS = /^(brands|mar(ken|cas|ques|chi)|merken)$/i;

/**
 * Returns the English name of each column of a full export in another language. The four columns of sizes, whose names end in
 * units, show whether the export has the column of GTINs, which is newer. Undefined if the columns are not those of an export.
 */
export function englishNames(columns: readonly string[]): Map<string, string> | undefined {
  const units = columns.map((column) => /[(（]([^(（]+)[)）]$/.exec(column)?.[1]);
  const weight = units.findIndex((unit, index) => unit && units[index + 1]);
  const [length, ...others] = units.slice(weight + 1, weight + 4);
  const hasGtin = weight === WEIGHT;
  const order = hasGtin ? ORDER : ORDER.toSpliced(GTIN, 1);
  if (
    (!hasGtin && weight !== WEIGHT - 1) ||
    !others.every((unit) => unit === length) ||
    columns.slice(0, 9).findIndex((column) => /GTIN|EAN|ISBN/.test(column)) !== (hasGtin ? GTIN : -1) ||
    columns.length < order.length
  )
    return undefined;
  const names = new Map<string, string>();
  for (const [index, name] of order.entries()) if (name !== "") names.set(columns[index] ?? "", name);
  let number = 1;
  for (let index = order.length; index < columns.length; index++) {
    const column = columns[index] ?? "";
    if (BRANDS.test(column)) names.set(column, "brands");
    // An attribute has four columns with its number: name, value(s), visible, global. Those of a download may stand beside them.
    let count = 0;
    while (numberOf(columns[index + count]) === number) count++;
    if (count < 4) continue;
    const value = columns.slice(index, index + count).findIndex((each) => /[(（]/.test(each));
    if (value < 1 && count > 5) return undefined;
    const group = columns.slice(index + Math.max(0, value - 1));
    for (const [place, name] of [
      "attribute_#_name",
      "attribute_#_value_s",
      "visible_#",
      "global_#",
    ].entries())
      names.set(group[place] ?? "", name.replace("#", String(number)));
    number++;
    index += count - 1;
  }
  return names;
}

/** The number in a column's name. The name of a column of meta data may have any number, behind a colon. */
const numberOf = (column = ""): number => (column.includes(":") ? 0 : Number(/\d+/.exec(column)?.[0]));

/** Does the same for a file that is said to be an export: none of its columns needs another name if they are English. */
export function namesOfExport(columns: readonly string[]): Map<string, string> {
  if (columns.some((column) => /^(regular_price|published)$/.test(keyOf(column)))) return new Map();
  const names = englishNames(columns);
  if (names === undefined) throw new ForCommand(`The file lacks columns of WooCommerce. ${ADVICE}`, FLAGS);
  return names;
}

/** Throws if a cell can't belong to the column that its place makes it. */
export function checkPlaces(line: number, cells: Cells, names: ReadonlyMap<string, string>): void {
  for (const [column, name] of names) {
    const text = textOf(cells[name]);
    const isAlone = name === "sale_price" && text !== "" && textOf(cells["regular_price"]) === "";
    if (FORMS[name.replace(/\d+/, "")]?.test(text) !== false && !isAlone) continue;
    throw new ForCommand(
      `Line ${line}: "${clip(plainLine(text), 40)}" in ${clip(plainLine(column), 60)} can't be a ${name}. ${ADVICE}`,
      FLAGS,
    );
  }
}
