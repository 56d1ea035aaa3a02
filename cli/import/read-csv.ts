import { Readable, pipeline } from "node:stream";
import { parse } from "csv-parse";
import * as z from "zod";
import { clip, plainLine } from "../../src/text/plain-text.ts";
import type { Row } from "./read-jsonl.ts";

const FIELDS =
  "sku name model brand description category price currency gtin url image_url status condition availability available_from cost supplier_id".split(
    " ",
  );
const REQUIRED = ["sku", "name", "category", "price", "currency"];
const RECORD_MAX = 1024 * 1024;
const NUMBERS = new Set(["price", "cost"]);
const REPLACEMENT = "\ufffd";

const recordSchema = z.object({
  info: z.object({ lines: z.int() }),
  raw: z.string(),
  record: z.array(z.string()),
});

/** `--map` options: a product's field, and the column that holds it. */
export type Mapping = Readonly<Record<string, string>>;

export interface CsvOptions {
  mapping: Mapping;
  delimiter: string;
  /** Called once with the columns that are not product fields. */
  onLeftOut: (columns: string[]) => void;
}

/**
 * Reads rows of a CSV file with a header. A column named like a field is that field; `attributes.colour` is
 * an attribute, `stock.east` the quantity in a warehouse; `mapping` assigns others. Empty cells are absent.
 * Throws if the header rules out every row.
 */
export async function* readCsv(
  bytes: AsyncIterable<Buffer>,
  { mapping, delimiter, onLeftOut }: CsvOptions,
): AsyncGenerator<Row> {
  /** The field of each column, once the header is read. */
  let fields: readonly (string | undefined)[] | undefined;
  const parser = pipeline(
    Readable.from(bytes),
    parse({
      bom: true,
      delimiter,
      info: true,
      raw: true,
      max_record_size: RECORD_MAX,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }),
    // The iteration throws the callback's error as well.
    () => {},
  );
  for await (const parsed of parser) {
    const { info, raw, record: cells } = recordSchema.parse(parsed);
    if (fields === undefined) {
      const fieldOf = fieldsOf(cells, mapping);
      onLeftOut(cells.filter((column) => !fieldOf.has(column)));
      fields = cells.map((column) => fieldOf.get(column));
      continue;
    }
    // csv-parse reports the line where a record ends; people look for the line where it begins.
    const line = info.lines - (raw.trim().match(/\n/g)?.length ?? 0);
    if (cells.some((cell) => cell.includes(REPLACEMENT))) yield { line, problem: "is not UTF-8" };
    else if (cells.slice(fields.length).some((cell) => cell !== "")) yield { line, problem: TOO_WIDE };
    else yield { line, value: toRecord(cells, fields) };
  }
}

const TOO_WIDE = "has more cells than the header; quote cells that contain the delimiter";

const isField = (name: string) => FIELDS.includes(name) || /^(?:attributes|stock)\../.test(name);

/** Returns the field of each column that has one: first by `mapping`, then by the column's name. */
function fieldsOf(header: string[], mapping: Mapping): ReadonlyMap<string, string> {
  const has = `It has: ${columnList(header)}.`;
  const unknown = Object.keys(mapping).filter((field) => !isField(field));
  if (unknown.length > 0)
    throw new Error(`A product has no field ${unknown.join(", ")}. It has: ${FIELDS.join(", ")}.`);
  const absent = Object.values(mapping).filter((column) => !header.includes(column));
  if (absent.length > 0) throw new Error(`The header has no column ${absent.join(", ")}. ${has}`);
  const mapped = new Map(Object.entries(mapping).map(([field, column]) => [column, field]));
  if (mapped.size < Object.keys(mapping).length)
    throw new Error("--map assigns one column to more than one field.");

  const named = header
    .map((column) => [column, fieldNamed(column)] as const)
    .filter(([column, field]) => isField(field) && !mapped.has(column) && !Object.hasOwn(mapping, field));
  const pairs = [...mapped, ...named];
  const fields = pairs.map(([, field]) => field);
  const twice = fields.filter((field, index) => fields.indexOf(field) !== index);
  if (twice.length > 0)
    throw new Error(`The header has more than one column for ${columnList(twice)}. ${has}`);
  const missing = REQUIRED.filter((field) => !fields.includes(field));
  if (missing.length > 0 && header.length === 1)
    throw new Error(`The header has only one column. Set the separator with --delimiter. ${has}`);
  if (missing.length > 0)
    throw new Error(
      `The header has no column for ${missing.join(", ")}. Name one with --map ${missing[0]}=COLUMN. ${has}`,
    );
  return new Map(pairs);
}

const SHOWN = 30;

/** Prints column names of a user's file safely on a terminal. */
export const columnList = (columns: readonly string[]): string =>
  columns
    .slice(0, SHOWN)
    .map((column) => clip(plainLine(column), 60))
    .join(", ") + (columns.length > SHOWN ? ` and ${columns.length - SHOWN} more` : "");

/** The field that a column's name means. Names with a dot hold the user's own words and keep their case. */
const fieldNamed = (column: string): string => (column.includes(".") ? column : column.toLowerCase());

function toRecord(
  cells: readonly string[],
  fields: readonly (string | undefined)[],
): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  const attributes: Record<string, string> = {};
  const stock: { warehouse: string; quantity: number }[] = [];
  for (const [index, cell] of cells.entries()) {
    const field = fields[index];
    if (cell === "" || field === undefined) continue;
    const [group = "", ...rest] = field.split(".");
    const name = rest.join(".");
    if (group === "attributes") attributes[name] = cell;
    else if (group === "stock") stock.push({ warehouse: name, quantity: Number(cell) });
    else record[field] = NUMBERS.has(field) ? Number(cell) : cell;
  }
  return { ...record, attributes, ...(stock.length > 0 && { stock }) };
}
