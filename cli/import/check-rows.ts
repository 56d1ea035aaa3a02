import type * as z from "zod";
import { type ProductRecord, productRecordSchema } from "../../src/catalog/import/record.ts";
import { minorPerMajor } from "../../src/catalog/money.ts";
import type { Row } from "./read-jsonl.ts";

export type CheckedRow = { line: number; record: ProductRecord } | { line: number; problem: string };

/** Bytes of a product as JSON: with its words it must fit one SQL statement of a remote database (100 KB). */
const RECORD_MAX = 24 * 1024;
const PROBLEMS_SHOWN = 3;
/** Names of fields that are remembered. */
const NAMES_MAX = 1_000;
/** As JSON escapes it; an escaped backslash before it makes it a mention. */
const NUL = /(?<!\\)(?:\\\\)*\\u0000/;

export interface Checking {
  /** Prices are decimals in major units. */
  majorPrices?: boolean;
  /** Told once of each name that is no field of a product. */
  onUnknownField?: (name: string) => void;
}

/** Checks rows one by one, and that no SKU stands twice. */
export async function* checkRows(
  rows: AsyncIterable<Row>,
  { majorPrices = false, onUnknownField = () => {} }: Checking = {},
): AsyncGenerator<CheckedRow> {
  const lineOf = new Map<string, number>();
  const known = new Set(Object.keys(productRecordSchema.shape));
  const error = inWords(majorPrices ? MAJOR : MINOR);
  for await (const row of rows) {
    for (const name of "value" in row ? namesOf(row.value) : []) {
      // A file may have as many names as it likes.
      if (known.has(name) || known.size >= NAMES_MAX) continue;
      known.add(name);
      onUnknownField(name);
    }
    const checked =
      "problem" in row ? row : check(row.line, majorPrices ? toMinor(row.value) : row.value, error);
    if ("record" in checked) {
      const first = lineOf.get(checked.record.sku);
      if (first !== undefined) {
        yield { line: row.line, problem: `sku: ${checked.record.sku} stands on line ${first} already` };
        continue;
      }
      lineOf.set(checked.record.sku, row.line);
    }
    yield checked;
  }
}

const namesOf = (value: unknown): string[] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];

function check(line: number, value: unknown, error: ReturnType<typeof inWords>): CheckedRow {
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
  if (NUL.test(json)) return { line, problem: "holds a NUL character" };
  const size = Buffer.byteLength(json);
  if (size > RECORD_MAX) return { line, problem: `is a product of ${size} bytes; ${RECORD_MAX} is the most` };
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

const MINOR = "is not a whole number of minor units; --major-prices takes decimals";
const MAJOR = "has more decimals than its currency";

/** Of what is of another type, for who does not know zod; undefined leaves a problem to its own words. */
const inWords =
  (ofPrices: string) =>
  ({ code, input, path, ...issue }: z.core.$ZodRawIssue): string | undefined => {
    if (code !== "invalid_type") return undefined;
    if (input === undefined) return "is missing";
    if ((path ?? []).length === 0 && Array.isArray(input))
      return "is a list, not an object: a line holds one product";
    const [field] = path ?? [];
    if (issue["expected"] === "int" && (field === "price" || field === "cost")) return ofPrices;
    return `is not ${KINDS[String(issue["expected"])] ?? issue["expected"]}`;
  };

function toMinor(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("currency" in value)) return value;
  const { currency } = value;
  if (typeof currency !== "string" || !/^[A-Z]{3}$/.test(currency)) return value;
  const minor = minorPerMajor(currency);
  // Only what has no more decimals than the currency is taken; of the rest the schema says what is wrong.
  const decimals = Math.log10(minor);
  const scaled = (price: unknown) =>
    typeof price === "number" && Number(price.toFixed(decimals)) === price
      ? Math.round(price * minor)
      : price;
  return {
    ...value,
    ...("price" in value && { price: scaled(value.price) }),
    ...("cost" in value && { cost: scaled(value.cost) }),
  };
}
