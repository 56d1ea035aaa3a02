import { minorPerMajor, toMoney } from "../../money.ts";
import { clip, plainLine } from "../../../text/plain-text.ts";
import {
  type Reading,
  type Unit,
  AMOUNTS,
  STOCK,
  formOf,
  numbersOf,
  readNumber,
  toMinor,
} from "./amounts.ts";
import { skuOf } from "./made-sku.ts";
import { ForCommand } from "./notes.ts";
import { OTHER, type Separator } from "./number-text.ts";
import { type DraftRow, textOf } from "./rows.ts";

/** The facts about a whole file without which no row of it can be read. */
export interface Survey {
  reading: Reading;
  /** SKUs that stand on more than one row, where SKUs may be made. */
  repeatedSkus: ReadonlySet<string>;
  /** The other SKUs of the file, if any SKU must be made. */
  takenSkus: ReadonlySet<string>;
}

/** The file leaves something open that a flag decides. The message is `text`, and then names the flag. */
export class Undecided extends ForCommand {
  override name = "Undecided";
  readonly asks: "prices" | "decimal" | "currency";

  constructor(asks: Undecided["asks"], text: string, flag: string) {
    super(text, flag);
    this.asks = asks;
  }
}

export interface SurveyOptions {
  /** The flag that says the unit, else the unit that the file's kind has. */
  unit: Unit | undefined;
  /** The flag that says the decimal separator. */
  decimal: Separator | undefined;
  /** The word for the place of a row: a line of the file, or a product of a JSON document. */
  place: "line" | "product";
  /** The decimal separator of the file's kind, which settles three decimals in a currency that has three. */
  convention: Separator | undefined;
}

interface Example {
  line: number;
  text: string;
}

/** The forms of number that a column holds, each with its first example. */
interface Column {
  point?: Example;
  comma?: Example;
  ambiguousPoint?: Example;
  ambiguousComma?: Example;
  /** Whether each ambiguous number is in a currency with three decimals. */
  hasThreeDecimals: boolean;
  hasFraction: boolean;
}

interface Priced {
  line: number;
  name: string;
  value: unknown;
  currency: string;
}

const EXAMPLES = 3;
const NAMES = { ".": ["point", "ambiguousPoint"], ",": ["comma", "ambiguousComma"] } as const;
const isAmount = (column: string) => AMOUNTS.some((amount) => amount === column);

/**
 * Reads all rows once, and decides how their numbers are written. Throws an Error that shows both readings and names
 * the flag, if a column or the unit of the prices stays ambiguous, and one if no row names a currency.
 */
export async function survey(rows: AsyncIterable<DraftRow>, options: SurveyOptions): Promise<Survey> {
  const columns = new Map<string, Column>();
  const priced: Priced[] = [];
  const seen = new Set<string>();
  let isMaking = false;
  const repeatedSkus = new Set<string>();
  let [withPrice, withCurrency] = [0, 0];
  for await (const row of rows) {
    if (!("fields" in row)) continue;
    const { fields, line, identity, isKeyed } = row;
    const sku = skuOf(row);
    if (identity !== undefined) {
      if (sku === "") isMaking = true;
      else if (!seen.has(sku)) seen.add(sku);
      else if (isKeyed !== true) repeatedSkus.add(sku);
    }
    const numbers = numbersOf(fields);
    const currency = textOf(fields["currency"]).toUpperCase() || currencyIn(numbers);
    const hasPrice = numbers.some(([column]) => isAmount(column)) || fields["price_minor"] !== undefined;
    if (hasPrice) withPrice++;
    if (hasPrice && currency !== "") withCurrency++;
    const digits = currency === "" ? 2 : Math.log10(minorPerMajor(currency));
    for (const [column, value] of numbers) note(columns, column, value, line, digits);
    const [first] = numbers;
    if (
      priced.length < EXAMPLES &&
      first !== undefined &&
      isAmount(first[0]) &&
      digits > 0 &&
      isNumber(first[1])
    )
      priced.push({ line, name: textOf(fields["name"]), value: first[1], currency: currency || "EUR" });
  }
  if (withPrice > 0 && withCurrency === 0)
    throw new Undecided("currency", "The file names no currency.", "Add it, for example: --currency EUR");
  const decimals = new Map([...columns].map(([name, column]) => [name, decimalOf(name, column, options)]));
  for (const sku of repeatedSkus) seen.delete(sku);
  const takenSkus = isMaking || repeatedSkus.size > 0 ? seen : new Set<string>();
  return { reading: { unit: unitOf(columns, decimals, priced, options), decimals }, repeatedSkus, takenSkus };
}

const isNumber = (value: unknown): boolean =>
  typeof value === "number" || formOf(textOf(value)) !== undefined;

function currencyIn(numbers: [string, unknown][]): string {
  for (const [column, value] of numbers) {
    const currency = typeof value === "string" && isAmount(column) ? formOf(value)?.currency : undefined;
    if (currency !== undefined) return currency;
  }
  return "";
}

function note(
  columns: Map<string, Column>,
  name: string,
  value: unknown,
  line: number,
  digits: number,
): void {
  let column = columns.get(name);
  if (column === undefined) {
    column = { hasThreeDecimals: true, hasFraction: false };
    columns.set(name, column);
  }
  if (typeof value === "number") {
    if (!Number.isInteger(value)) column.hasFraction = true;
    return;
  }
  const text = textOf(value);
  const form = formOf(text);
  if (form === undefined) return;
  if (form.hasFraction) column.hasFraction = true;
  // A quantity is whole: 1,200 pieces are not 1.2 pieces, but 5.000 may be 5.
  const { ambiguous } = form;
  const isThousands = ambiguous !== undefined && name === STOCK && !form.digits.endsWith("000");
  const decimal = isThousands ? OTHER[ambiguous] : form.decimal;
  if (decimal !== undefined) column[NAMES[decimal][0]] ??= { line, text };
  else if (ambiguous !== undefined) {
    column[NAMES[ambiguous][1]] ??= { line, text };
    if (digits !== 3) column.hasThreeDecimals = false;
  }
}

function decimalOf(name: string, column: Column, { decimal, convention, place }: SurveyOptions): Separator {
  const show = ({ line, text }: Example) => `"${clip(plainLine(text), 40)}" (${place} ${line})`;
  if (decimal !== undefined) return decimal;
  const { point, comma, ambiguousPoint, ambiguousComma } = column;
  if (point !== undefined && comma !== undefined)
    throw new Undecided(
      "decimal",
      `The column of ${name} mixes number formats: ${show(point)} has a decimal point, ${show(comma)} a decimal comma.`,
      "Correct the file, or name the format with --decimal point or --decimal comma; rows in the other format are then reported.",
    );
  if (point !== undefined) return ".";
  if (comma !== undefined) return ",";
  const ambiguous = ambiguousPoint ?? ambiguousComma;
  if (ambiguous === undefined) return ".";
  const isConventional = (convention === "." ? ambiguousComma : ambiguousPoint) === undefined;
  if (convention !== undefined && column.hasThreeDecimals && isConventional) return convention;
  const [whole, fraction] = ambiguous.text.match(/\d+/g) ?? [];
  const [asThousands, asDecimals] = ambiguousPoint === undefined ? ["point", "comma"] : ["comma", "point"];
  throw new Undecided(
    "decimal",
    `The column of ${name} is ambiguous: ${show(ambiguous)} may be ${whole}${fraction} or ${whole}.${fraction}.`,
    `Add --decimal ${asThousands} for the first reading, or --decimal ${asDecimals} for the second.`,
  );
}

function unitOf(
  columns: ReadonlyMap<string, Column>,
  decimals: ReadonlyMap<string, Separator>,
  priced: readonly Priced[],
  { unit, decimal, place }: SurveyOptions,
): Unit | undefined {
  if (unit !== undefined) return unit;
  const hasAmount = [...columns.keys()].some(isAmount);
  if (!hasAmount) return undefined;
  const hasFraction = [...columns].some(
    ([name, column]) =>
      isAmount(name) && (column.hasFraction || (decimal !== undefined && isDecimal(column, decimal))),
  );
  // Without a price that has minor units, both readings are the same.
  if (hasFraction || priced.length === 0) return "major";
  const readings = priced.map(({ line, name, value, currency }) => {
    const number = readNumber(value, "price", { unit, decimals });
    const inUnit = (each: Unit) => {
      const minor = typeof number === "number" ? toMinor(number, currency, each) : number;
      return typeof minor === "number" ? toMoney(minor, currency).formatted : minor;
    };
    return `  ${place} ${line}: ${clip(plainLine(name), 50)}, ${textOf(value)}: ${inUnit("major")} or ${inUnit("minor")}`;
  });
  throw new Undecided(
    "prices",
    `Nothing in the file says whether its prices are in major units (euros, dollars) or in minor units (cents):
${readings.join("\n")}`,
    "Add --major-prices for the first reading, or --minor-prices for the second.",
  );
}

/** Whether `--decimal` makes a fraction of a number that could also have been thousands. */
const isDecimal = (column: Column, decimal: Separator): boolean => column[NAMES[decimal][1]] !== undefined;
