import { currenciesOf } from "./currency-signs.ts";

/** Points or commas of a number as a person or a program wrote it. */
export type Separator = "." | ",";

export interface NumberText {
  /** The digits with every separator: "1.299,00". A sign is kept, signs of thousands such as spaces are not. */
  digits: string;
  /** The separator that is certainly the decimal one. */
  decimal?: Separator;
  /** A single separator before exactly three digits: "1.299" may be 1299 or 1.299. */
  ambiguous?: Separator;
  /** Whether a fraction is written, even if it is zero. */
  hasFraction: boolean;
  /** The sign, word or code of money that stands beside the number, and the currencies that use it: none if it is unknown. */
  written?: { unit: string; currencies: readonly string[] };
  /** The currency that it names by itself. */
  currency?: string;
}

/** A code, or any sign of a currency. `$`, `¥` and `kr` stand for several, so they name none. */
const UNIT = String.raw`(?:[A-Za-z]{3}|[A-Z]{0,3}\p{Sc}|(?:kr|Fr|Rs)\.?|zł|Kč|Ft|lei)`;
const WITH_UNIT = new RegExp(String.raw`^([+-]?)(${UNIT})?([+-]?)([\d.,]+?)([.,]-+)?(${UNIT})?$`, "u");
export const OTHER: Readonly<Record<Separator, Separator>> = { ".": ",", ",": "." };
const isSeparator = (character: string): character is Separator => character === "." || character === ",";

/** Reads a number's form: `1.299,00`, `€ 19.99`, `19,- EUR`, `1'299.00`, `+5`. Returns undefined if it has none. */
export function numberText(text: string): NumberText | undefined {
  const compact = text
    // WooCommerce and Excel write an apostrophe before a cell that begins with a sign.
    .replace(/^'/, "")
    .replaceAll(/[\u2212\u2013\u2014]/g, "-")
    .replaceAll(/(?<=\d)[\s'’](?=\d{3}(?!\d))/g, "")
    .trim()
    .replace(/(?<=[^\d\s])\s+(?=[+\-.,\d])|(?<=[\d.,-])\s+(?=[^\d\s])/gu, "");
  const [, sign = "", before, inner = "", digits, dash, after] = WITH_UNIT.exec(compact) ?? [];
  if (digits === undefined || (before !== undefined && after !== undefined)) return undefined;
  const unit = before ?? after;
  const form = formOf(digits);
  if (form === undefined) return undefined;
  // "19,-" is a price of whole euros, not of cents.
  if (dash !== undefined) form.hasFraction = true;
  const isNegative = sign === "-" || inner === "-";
  return { digits: isNegative ? `-${digits}` : digits, ...form, ...(unit !== undefined && moneyOf(unit)) };
}

function moneyOf(unit: string): Pick<NumberText, "written" | "currency"> {
  const currencies = currenciesOf(unit);
  const [first, ...others] = currencies;
  const currency = unit === "£" ? "GBP" : others.length === 0 ? first : undefined;
  return { written: { unit, currencies }, ...(currency !== undefined && { currency }) };
}

function formOf(digits: string): Pick<NumberText, "decimal" | "ambiguous" | "hasFraction"> | undefined {
  const separators = Array.from(digits).filter(isSeparator);
  const last = separators.at(-1);
  if (last === undefined) return { hasFraction: false };
  const isGrouped = (text: string, separator: Separator) =>
    new RegExp(String.raw`^\d{1,3}(?:[${separator}]\d{3})+$`).test(text);
  if (new Set(separators).size === 2) {
    const [whole = "", fraction = "", ...rest] = digits.split(last);
    const isNumber = rest.length === 0 && isGrouped(whole, OTHER[last]);
    return isNumber ? { decimal: last, hasFraction: fraction !== "" } : undefined;
  }
  if (separators.length > 1)
    return isGrouped(digits, last) ? { decimal: OTHER[last], hasFraction: false } : undefined;
  const [whole = "", fraction = ""] = digits.split(last);
  if (whole === "" && fraction === "") return undefined;
  if (/^[1-9]\d{0,2}$/.test(whole) && fraction.length === 3) return { ambiguous: last, hasFraction: false };
  return { decimal: last, hasFraction: fraction !== "" };
}

/** The value of a number, once the column's decimal separator is known. Returns undefined if it does not fit. */
export function valueOf({ digits, decimal: own }: NumberText, decimal: Separator): number | undefined {
  if (own !== undefined && own !== decimal) return undefined;
  return Number(digits.replaceAll(OTHER[decimal], "").replace(decimal, "."));
}
