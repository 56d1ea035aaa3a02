import * as z from "zod";

export const moneySchema = z.strictObject({
  amount_minor: z.int().describe("Price in minor units, such as cents"),
  currency: z.string().describe("ISO 4217 code"),
  formatted: z.string().describe("The same price for people, such as $79.99"),
});

interface CurrencyFormat {
  format: Intl.NumberFormat;
  minorPerMajor: number;
}
const formats = new Map<string, CurrencyFormat>();

function formatOf(currency: string): CurrencyFormat {
  let found = formats.get(currency);
  if (found === undefined) {
    const format = new Intl.NumberFormat("en-US", { style: "currency", currency });
    found = { format, minorPerMajor: 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2) };
    formats.set(currency, found);
  }
  return found;
}

/** Minor units in one major unit of an ISO 4217 currency: 100 for USD, 1 for JPY, 1000 for KWD. */
export const minorPerMajor = (currency: string): number => formatOf(currency).minorPerMajor;

export function toMoney(amountMinor: number, currency: string): z.output<typeof moneySchema> {
  const { format, minorPerMajor } = formatOf(currency);
  const formatted = format.format(amountMinor / minorPerMajor);
  return { amount_minor: amountMinor, currency, formatted };
}
