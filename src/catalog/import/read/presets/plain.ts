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

/** The field that a column's name means. Names with a dot hold the user's own words and keep their case. */
export const fieldNamed = (column: string): string => {
  const name = column.includes(".") ? column : column.toLowerCase();
  return name === "quantity" ? "stock" : name;
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
        if (isField(field)) flat[isQuantity(field, value) ? MAIN_STOCK : field] = value;
      }
      yield { line: row.line, fields: nested(flat), cells: row.cells };
    }
  },
};

/** `stock` is a list in JSON; a single quantity is that of the only warehouse. */
const isQuantity = (field: string, value: unknown): boolean =>
  field === "stock" && !Array.isArray(value) && !isObject(value) && value !== null;
