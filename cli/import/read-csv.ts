import { Readable, pipeline } from "node:stream";
import { parse } from "csv-parse";
import * as z from "zod";
import type { Row } from "./read-jsonl.ts";

const RECORD_MAX = 1024 * 1024;
const NUMBERS = new Set(["price", "cost"]);
const REPLACEMENT = "\ufffd";

const recordSchema = z.object({
  info: z.object({ lines: z.int() }),
  raw: z.string(),
  record: z.record(z.string(), z.string()),
});

/** What `--map` gives: a product's field, and the column that holds it. */
export type Mapping = Readonly<Record<string, string>>;

/**
 * Rows of a CSV file with a header. A column named like a field is that field; `attributes.colour` is
 * an attribute, `stock.east` the quantity in a warehouse; `mapping` names others. Empty cells are absent.
 */
export async function* readCsv(
  bytes: AsyncIterable<Buffer>,
  mapping: Mapping,
  delimiter: string,
): AsyncGenerator<Row> {
  const fieldOf = new Map(Object.entries(mapping).map(([field, column]) => [column, field]));
  const parser = pipeline(
    Readable.from(bytes),
    parse({
      bom: true,
      columns: (header: string[]) => checkHeader(header, mapping),
      delimiter,
      info: true,
      raw: true,
      max_record_size: RECORD_MAX,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }),
    // The callback's error comes out of the iteration as well.
    () => {},
  );
  for await (const parsed of parser) {
    const { info, raw, record } = recordSchema.parse(parsed);
    // csv-parse counts up to where a record ends; people look for where it begins.
    const line = info.lines - (raw.trim().match(/\n/g)?.length ?? 0);
    const text = Object.values(record).join();
    if (text.includes(REPLACEMENT)) yield { line, problem: "is not UTF-8" };
    else yield { line, value: toRecord(record, fieldOf) };
  }
}

function checkHeader(header: string[], mapping: Mapping): string[] {
  const missing = Object.values(mapping).filter((column) => !header.includes(column));
  if (missing.length > 0)
    throw new Error(`The header has no column ${missing.join(", ")}. It has: ${header.join(", ")}.`);
  return header;
}

function toRecord(
  record: Record<string, string>,
  fieldOf: ReadonlyMap<string, string>,
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const attributes: Record<string, string> = {};
  const stock: { warehouse: string; quantity: number }[] = [];
  for (const [column, cell] of Object.entries(record)) {
    const field = fieldOf.get(column) ?? column.toLowerCase();
    const [group = "", ...rest] = (fieldOf.get(column) ?? column).split(".");
    const name = rest.join(".");
    if (cell === "") continue;
    if (group === "attributes" && name !== "") attributes[name] = cell;
    else if (group === "stock" && name !== "") stock.push({ warehouse: name, quantity: Number(cell) });
    else fields[field] = NUMBERS.has(field) ? Number(cell) : cell;
  }
  return { ...fields, attributes, ...(stock.length > 0 && { stock }) };
}
