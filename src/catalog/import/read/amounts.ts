import { minorPerMajor } from "../../money.ts";
import { isObject, textOf } from "./rows.ts";
import { type NumberText, type Separator, numberText, valueOf } from "./number-text.ts";

/** Whether prices are written in major units (19.99) or in minor units (1999). */
export type Unit = "major" | "minor";

/** How the numbers of a file are to be read. */
export interface Reading {
  /** Undefined if the file holds no price in a unit of its own: its prices are named `price_minor`. */
  unit: Unit | undefined;
  /** The decimal separator of each column of numbers; a point if it is not listed. */
  decimals: ReadonlyMap<string, Separator>;
}

/** The fields of a draft that hold a price in the file's unit. */
export const AMOUNTS = ["price", "list_price", "sale.price", "cost"] as const;

/** The name of all columns of quantities together. */
export const STOCK = "stock";

/** Returns the amounts and quantities of a draft by the name of their column. Absent ones are left out. */
export function numbersOf(fields: Readonly<Record<string, unknown>>): [column: string, value: unknown][] {
  const { sale, stock } = fields;
  return [
    ...AMOUNTS.map((column): [string, unknown] => [
      column,
      column === "sale.price" ? (isObject(sale) ? sale["price"] : undefined) : fields[column],
    ]),
    ...(isObject(stock) ? Object.values(stock).map((value): [string, unknown] => [STOCK, value]) : []),
  ].filter(([, value]) => typeof value === "number" || textOf(value) !== "");
}

const forms = new Map<string, NumberText | undefined>();
const FORMS_MAX = 20_000;
/** Characters of a text that is remembered. No number is longer. */
const FORM_MAX = 100;

/** The form of a number in a text. Prices repeat, so the last thousands are remembered. */
export function formOf(text: string): NumberText | undefined {
  if (forms.has(text)) return forms.get(text);
  if (forms.size >= FORMS_MAX) forms.clear();
  const form = numberText(text);
  if (text.length <= FORM_MAX) forms.set(text, form);
  return form;
}

/** Returns a number, or what is wrong with it. */
export function readNumber(value: unknown, column: string, { decimals }: Reading): number | string {
  if (typeof value === "number") return value;
  const text = textOf(value);
  const form = formOf(text);
  if (form === undefined) {
    const advice = column !== STOCK && /\d/.test(text) ? ". Write the code of its currency, such as EUR" : "";
    return `"${text.slice(0, 40)}" is not a number${advice}`;
  }
  const decimal = decimals.get(column) ?? ".";
  return (
    valueOf(form, decimal) ?? `"${text}" does not have the ${decimal} of its column as decimal separator`
  );
}

/** Floating-point noise of a spreadsheet, such as 19.990000000000002. */
const NOISE = 1e-9;

/** Returns an amount in minor units, or what is wrong with it. */
export function toMinor(value: number, currency: string, unit: Unit): number | string {
  if (unit === "minor") return Number.isInteger(value) ? value : "is not a whole number of minor units";
  const minor = minorPerMajor(currency);
  const rounded = Math.round(value * minor) / minor;
  if (Math.abs(value - rounded) > NOISE * Math.max(1, Math.abs(value)))
    return `${value} has more decimals than ${currency} has`;
  return Math.round(value * minor);
}
