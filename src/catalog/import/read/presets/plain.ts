import { PRODUCT_FIELD_NAMES } from "../../record.ts";
import { nested } from "../columns.ts";
import { type RawRow, isObject } from "../rows.ts";
import { MAIN_STOCK, type Preset } from "./preset.ts";

/** Names beside those of the schema. Prices in the file's own unit become price_minor. */
const OTHER_NAMES = new Set(["price", "list_price", "cost"]);
const PARTS =
  /^(?:attributes|options|stock)\..|^group\.(?:id|name)$|^rating\.(?:value|count)$|^sale\.(?:price|price_minor|starts_at|ends_at)$/;

export const isField = (name: string): boolean =>
  PRODUCT_FIELD_NAMES.includes(name) || OTHER_NAMES.has(name) || PARTS.test(name);

/** Names that people use for a field. */
const SAME_AS = new Map([
  ["quantity", "stock"],
  ["sale_price", "sale.price"],
  ["sale_starts_at", "sale.starts_at"],
  ["sale_ends_at", "sale.ends_at"],
]);

/** The field that a column's name means. Names with a dot hold the user's own words and keep their case. */
export const fieldNamed = (column: string): string => {
  const name = column.includes(".") ? column : column.toLowerCase();
  return SAME_AS.get(name) ?? name;
};

/** A file of this catalog: each column or property is a field. */
export const plain: Preset = {
  title: "products of this catalog",
  isLenient: false,
  async *drafts(rows: AsyncIterable<RawRow>) {
    for await (const row of rows) {
      if ("problem" in row) {
        yield row;
        continue;
      }
      const flat: Record<string, unknown> = {};
      for (const [column, value] of Object.entries(row.cells)) {
        const field = fieldNamed(column);
        if (isField(field)) flat[isScalar(value) ? (OF_SCALAR.get(field) ?? field) : field] = value;
      }
      yield { line: row.line, fields: nested(flat), cells: row.cells };
    }
  },
};

/** A list or an object in JSON. As one value they are the quantity of the only warehouse, and the reduced price. */
const OF_SCALAR = new Map([
  ["stock", MAIN_STOCK],
  ["sale", "sale.price"],
]);

const isScalar = (value: unknown): boolean => !Array.isArray(value) && !isObject(value) && value !== null;
