import type * as z from "zod";
import {
  PRODUCT_FIELD_NAMES,
  type ProductRecord,
  productRecordSchema,
} from "../../src/catalog/import/record.ts";
import { minorPerMajor } from "../../src/catalog/money.ts";
import type { Row } from "./read-jsonl.ts";

export type CheckedRow = { line: number; record: ProductRecord } | { line: number; problem: string };

/**
 * Most bytes of a product as JSON. With its search words it must fit one SQL statement of a remote database
 * (100 KB).
 */
const RECORD_MAX = 24 * 1024;
const PROBLEMS_SHOWN = 3;
/** Most field names that are remembered. */
const NAMES_MAX = 1_000;
/** A NUL character as JSON escapes it. Behind an escaped backslash it is only text. */
const NUL = /(?<!\\)(?:\\\\)*\\u0000/;

export interface Checking {
  /** Prices are decimals in major units. */
  majorPrices?: boolean;
  /** Called once for each name that is not a product field. */
  onUnknownField?: (name: string) => void;
}

/** Checks each row, and rejects a SKU that appears twice. */
export async function* checkRows(
  rows: AsyncIterable<Row>,
  { majorPrices = false, onUnknownField = () => {} }: Checking = {},
): AsyncGenerator<CheckedRow> {
  const lineOf = new Map<string, number>();
  const known = new Set([...PRODUCT_FIELD_NAMES, "price", "cost"]);
  const error = typeProblem(majorPrices ? MAJOR : MINOR);
  for await (const row of rows) {
    for (const name of "value" in row ? namesOf(row.value) : []) {
      // A file may contain any number of names, so only the first ones are remembered.
      if (known.has(name) || known.size >= NAMES_MAX) continue;
      known.add(name);
      onUnknownField(name);
    }
    const checked = "problem" in row ? row : check(row.line, toMinor(row.value, majorPrices), error);
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
}

const namesOf = (value: unknown): string[] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];

function check(line: number, value: unknown, error: ReturnType<typeof typeProblem>): CheckedRow {
  const parsed = productRecordSchema.safeParse(value, { error });
  if (!parsed.success) {
    const problems = parsed.error.issues
      .slice(0, PROBLEMS_SHOWN)
      .map(({ path, message }) =>
        path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`,
      );
    return { line, problem: problems.join("; ") };
  }
  const json = JSON.stringify(parsed.data);
  if (NUL.test(json)) return { line, problem: "contains a NUL character" };
  const size = Buffer.byteLength(json);
  if (size > RECORD_MAX)
    return { line, problem: `is a product of ${size} bytes; at most ${RECORD_MAX} are allowed` };
  return { line, record: parsed.data };
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

const MINOR = "is not a whole number of minor units; for decimals add --major-prices";
const MAJOR = "has more decimals than its currency";

/** Names a wrong type in plain words. Returns undefined if the problem's own message should stand. */
const typeProblem =
  (ofPrices: string) =>
  ({ code, input, path, ...issue }: z.core.$ZodRawIssue): string | undefined => {
    if (code !== "invalid_type") return undefined;
    if (input === undefined) return "is missing";
    if ((path ?? []).length === 0 && Array.isArray(input))
      return "is a list, not an object. Write one product per line";
    const [field] = path ?? [];
    if (issue["expected"] === "int" && (field === "price_minor" || field === "cost_minor")) return ofPrices;
    return `is not ${KINDS[String(issue["expected"])] ?? issue["expected"]}`;
  };

/** Reads `price` and `cost`, which are in major units or, without `majorPrices`, in minor units. */
function toMinor(value: unknown, majorPrices: boolean): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const currency = "currency" in value ? value.currency : undefined;
  const isKnown = typeof currency === "string" && /^[A-Za-z]{3}$/.test(currency);
  const minor = isKnown && majorPrices ? minorPerMajor(currency.toUpperCase()) : 1;
  // Prices with more decimals than the currency are left alone; the schema rejects them with a reason.
  const decimals = Math.log10(minor);
  const scaled = (price: unknown) =>
    typeof price === "number" && Number(price.toFixed(decimals)) === price
      ? Math.round(price * minor)
      : price;
  return {
    ...value,
    ...("price" in value && { price_minor: scaled(value.price) }),
    ...("cost" in value && { cost_minor: scaled(value.cost) }),
  };
}
