import * as z from "zod";

export const moneySchema = z.strictObject({
  amount_minor: z.int().describe("Price in minor units, such as cents"),
  currency: z.string().describe("ISO 4217 code"),
  formatted: z.string().describe("The same price for people, such as $79.99"),
});

const formatters = new Map<string, Intl.NumberFormat>();

function formatter(currency: string): Intl.NumberFormat {
  let found = formatters.get(currency);
  if (found === undefined) {
    found = new Intl.NumberFormat("en-US", { style: "currency", currency });
    formatters.set(currency, found);
  }
  return found;
}

/** Minor units in one major unit of an ISO 4217 currency: 100 for USD, 1 for JPY, 1000 for KWD. */
export function minorPerMajor(currency: string): number {
  return 10 ** (formatter(currency).resolvedOptions().maximumFractionDigits ?? 2);
}

export function toMoney(amountMinor: number, currency: string): z.output<typeof moneySchema> {
  const formatted = formatter(currency).format(amountMinor / minorPerMajor(currency));
  return { amount_minor: amountMinor, currency, formatted };
}
