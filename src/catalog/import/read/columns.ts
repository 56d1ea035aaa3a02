import { type Cells, textOf } from "./rows.ts";

const keys = new Map<string, string>();
/** Bound the cache of column names: a JSON file may have any number of them, of any length. */
const KEYS_MAX = 5_000;
const KEY_MAX = 200;

/** The form in which column names are compared: `Variant SKU`, `variant_sku` and `Variant-Sku` are one column. */
export function keyOf(column: string): string {
  let key = keys.get(column);
  if (key === undefined) {
    key = column
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, "_")
      .replace(/^_|_$/g, "");
    if (keys.size < KEYS_MAX && column.length <= KEY_MAX) keys.set(column, key);
  }
  return key;
}

/** A preset's table: the field of each column, in the order of preference. */
export type ColumnTable = Readonly<Record<string, string>>;

/** Returns cells by the compared form of their column's name. */
export const byKey = (cells: Cells): Record<string, unknown> =>
  Object.fromEntries(Object.entries(cells).map(([column, value]) => [keyOf(column), value]));

/** Returns the fields that a table names. The first column with a value wins. */
export function fieldsOf(row: Cells, table: ColumnTable): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [column, field] of Object.entries(table)) {
    const text = textOf(row[column]);
    if (text !== "" && fields[field] === undefined) fields[field] = text;
  }
  return fields;
}

/** Sets `attributes.colour` of a product's fields, or `name`. */
export function setField(fields: Record<string, unknown>, path: string, value: unknown): void {
  const [head = "", ...rest] = path.split(".");
  const inner = fields[head];
  if (rest.length === 0) fields[path] = value;
  else
    fields[head] = {
      ...(typeof inner === "object" && !Array.isArray(inner) && inner),
      [rest.join(".")]: value,
    };
}

/** Returns fields with their dotted names, such as `sale.price`, as objects. */
export function nested(flat: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) setField(fields, path, value);
  return fields;
}
