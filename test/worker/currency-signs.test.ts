import { expect, it } from "vitest";
import { currenciesOf } from "../../src/catalog/import/read/currency-signs.ts";

it.each([
  ["kr", "SEK"],
  ["kr.", "DKK"],
  ["zł", "PLN"],
  ["R$", "BRL"],
  ["US$", "USD"],
  ["¥", "JPY"],
  ["£", "GBP"],
])("knows in workerd that %s is a sign of %s, and not of the euro", (sign, currency) => {
  expect(currenciesOf(sign)).toContain(currency);
  expect(currenciesOf(sign)).not.toContain("EUR");
});
