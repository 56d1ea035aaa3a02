import * as z from "zod";

export const moneySchema = z.strictObject({
  amount_minor: z.int().describe("Price in minor units, such as cents"),
  currency: z.string().describe("ISO 4217 code"),
  formatted: z.string().describe("The same price for people, such as $79.99"),
});

/** Money beside a price, which has the descriptions. */
export const otherMoneySchema = z.strictObject({
  amount_minor: z.int(),
  currency: z.string(),
  formatted: z.string(),
});

// ISO 4217 currencies whose minor units are not two digits. Intl follows CLDR, which describes how a currency is
// written (HUF without decimals), not how it is counted (HUF 100).
const MINOR_UNITS: Readonly<Record<string, number>> = {
  ...digits(0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
  ...digits(3, "BHD IQD JOD KWD LYD OMR TND"),
  ...digits(4, "CLF UYW"),
};
const MINOR_UNITS_USUAL = 2;

function digits(count: number, codes: string): Record<string, number> {
  return Object.fromEntries(codes.split(" ").map((code) => [code, count]));
}

/** Returns the minor units in one major unit of an ISO 4217 currency: 100 for USD, 1 for JPY, 1000 for KWD. */
export function minorPerMajor(currency: string): number {
  return 10 ** (MINOR_UNITS[currency] ?? MINOR_UNITS_USUAL);
}

const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string): Intl.NumberFormat {
  let format = formats.get(currency);
  if (format === undefined) {
    const fractionDigits = MINOR_UNITS[currency] ?? MINOR_UNITS_USUAL;
    format = new Intl.NumberFormat("en-US", {
      style: "currency",
      currency,
      minimumFractionDigits: fractionDigits,
      maximumFractionDigits: fractionDigits,
    });
    formats.set(currency, format);
  }
  return format;
}

export function toMoney(amountMinor: number, currency: string): z.output<typeof moneySchema> {
  const formatted = formatOf(currency).format(amountMinor / minorPerMajor(currency));
  return { amount_minor: amountMinor, currency, formatted };
}
