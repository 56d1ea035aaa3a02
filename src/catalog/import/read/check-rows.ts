import type * as z from "zod";
import { safeParse } from "../../../validation/safe-parse.ts";
import { type ProductRecord, productRecordSchema } from "../record.ts";
import { clip, plainLine } from "../../../text/plain-text.ts";
import { Notes } from "./notes.ts";
import type { Row } from "./read-jsonl.ts";

export type CheckedRow = { line: number; record: ProductRecord } | { line: number; problem: string };

/**
 * Most bytes of a product as JSON. With its search words it must fit one SQL statement of a remote database
 * (100 KB).
 */
const RECORD_MAX = 24 * 1024;
const PROBLEMS_SHOWN = 3;
const VALUE_MAX = 40;
/** A NUL character as JSON escapes it. Behind an escaped backslash it is only text. */
const NUL = /(?<!\\)(?:\\\\)*\\u0000/;

export interface Checking {
  /** Imports a product without its invalid optional fields, and notes them. */
  isLenient?: boolean;
  notes?: Notes;
  /** The schema in a compiled form, which a Worker can't make. */
  schema?: typeof productRecordSchema;
  /** Runs after the last row. */
  atEnd?: () => Promise<void>;
}

/** Fields without which a product can still be sold. An invalid one says more about the export than about the product. */
const OPTIONAL = new Set([
  "gtin",
  "images",
  "url",
  "condition",
  "rating",
  "availability",
  "available_from",
  "sale",
]);

/** Checks each row, and rejects a SKU that appears twice. */
export async function* checkRows(
  rows: AsyncIterable<Row>,
  { isLenient = false, notes = new Notes(), schema = productRecordSchema, atEnd }: Checking = {},
): AsyncGenerator<CheckedRow> {
  const lineOf = new Map<string, number>();
  for await (const row of rows) {
    const checked =
      "problem" in row ? row : check(row.line, row.value, isLenient ? notes : undefined, schema);
    if ("record" in checked) {
      const first = lineOf.get(checked.record.sku);
      if (first !== undefined) {
        yield { line: row.line, problem: `sku: ${checked.record.sku} is already on line ${first}` };
        continue;
      }
      lineOf.set(checked.record.sku, row.line);
    }
    yield checked;
  }
  await atEnd?.();
}

function check(
  line: number,
  value: unknown,
  lenient: Notes | undefined,
  schema: typeof productRecordSchema,
): CheckedRow {
  const parsed = safeParse(schema, value, { error: plainProblem });
  if (!parsed.success) {
    const { issues } = parsed;
    if (lenient !== undefined && issues.every(({ path }) => OPTIONAL.has(String(path[0]))))
      return check(
        line,
        without(value, issues, (field, problem) => lenient.drop(field, line, problem)),
        undefined,
        schema,
      );
    const problems = issues.slice(0, PROBLEMS_SHOWN).map(saying);
    return { line, problem: problems.join("; ") };
  }
  const json = JSON.stringify(parsed.data);
  if (NUL.test(json)) return { line, problem: "contains a NUL character" };
  const size = Buffer.byteLength(json);
  if (size > RECORD_MAX)
    return { line, problem: `is a product of ${size} bytes; at most ${RECORD_MAX} are allowed` };
  return { line, record: parsed.data };
}

/** A price is called `price`, because few files name its unit. */
const saying = ({ path, message }: { path: PropertyKey[]; message: string }): string =>
  path.length === 0
    ? message
    : `${path
        .map(String)
        .join(".")
        .replace(/_minor$/, "")}: ${message}`;

/** Returns the row without its invalid fields; of several images, only the invalid ones go. */
function without(
  value: unknown,
  issues: readonly z.core.$ZodIssue[],
  onDrop: (field: string, problem: string) => void,
): Record<string, unknown> {
  const row: Record<string, unknown> = { ...(typeof value === "object" && value) };
  const images = new Set(issues.flatMap(({ path }) => (path[0] === "images" ? [path[1]] : [])));
  for (const { path, message } of issues) {
    const field = String(path[0]);
    onDrop(field === "images" && path.length > 1 ? "an image" : field, message);
    if (field !== "images") delete row[field];
  }
  const list = row["images"];
  if (images.size > 0 && Array.isArray(list))
    row["images"] = images.has(undefined) ? [] : list.filter((_, index) => !images.has(index));
  return row;
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

const FORMATS: Readonly<Record<string, string>> = {
  url: "is not a URL",
  date: "is not a day. Write it as 2026-12-31",
  datetime: "is not a date. Write it as 2026-12-31, or with a time as 2026-12-31T22:00:00Z",
};

/** Names a wrong type or size in plain words. Returns undefined if the problem's own message should stand. */
function plainProblem({ code, input, path, ...issue }: z.core.$ZodRawIssue): string | undefined {
  if (code === "too_small" || code === "too_big") return limitProblem(code, input, issue);
  if (code === "invalid_format") return FORMATS[String(issue["format"])];
  if (code === "invalid_value" && Array.isArray(issue["values"]))
    return `${typeof input === "string" ? `"${clip(plainLine(input), VALUE_MAX)}" ` : ""}is none of ${issue["values"].join(", ")}`;
  if (code !== "invalid_type") return undefined;
  if (input === undefined) return "is missing";
  if ((path ?? []).length === 0 && Array.isArray(input))
    return "is a list, not an object. Write one product per line";
  const isMinor = issue["expected"] === "int" && String(path?.at(-1)).endsWith("_minor");
  return isMinor
    ? "is not a whole number of minor units"
    : `is not ${KINDS[String(issue["expected"])] ?? String(issue["expected"])}`;
}

function limitProblem(
  code: "too_small" | "too_big",
  input: unknown,
  { minimum, maximum, inclusive }: { [name: string]: unknown },
): string {
  const limit = String(code === "too_small" ? minimum : maximum);
  if (typeof input === "number") {
    const side = code === "too_small" ? "less" : "more";
    return inclusive === false
      ? `must be ${code === "too_small" ? "more" : "less"} than ${limit}`
      : `is ${side} than ${limit}`;
  }
  const things = typeof input === "string" ? "characters" : "entries";
  if (code === "too_small" && limit === "1") return "is empty";
  return `has ${code === "too_small" ? "fewer" : "more"} than ${limit} ${things}`;
}
