/** Signs that people use and Intl does not write. */
const OTHERS = { fr: "CHF", rs: "INR", "￥": "CNY JPY" };

let signs: Map<string, Set<string>> | undefined;

/** The signs and words of all currencies in lower case, as Intl writes them in English: `kr` stands for four. */
function allSigns(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const add = (sign: string, currency: string) => {
    const key = sign.toLowerCase();
    found.set(key, (found.get(key) ?? new Set()).add(currency));
  };
  for (const currency of Intl.supportedValuesOf("currency"))
    for (const currencyDisplay of ["narrowSymbol", "symbol"] as const) {
      const format = { style: "currency", currency, currencyDisplay, maximumFractionDigits: 0 } as const;
      const sign = (0).toLocaleString("en", format).replace("0", "").trim();
      add(sign, currency);
      // US$, JP¥: the country and the sign.
      if (/^\p{Sc}$/u.test(sign)) {
        add(currency.slice(0, 2) + sign, currency);
        add(currency + sign, currency);
      }
    }
  for (const [sign, currencies] of Object.entries(OTHERS))
    for (const currency of currencies.split(" ")) add(sign, currency);
  return found;
}

/** The currencies that a sign, word or code beside a number stands for. A code that ISO 4217 lacks stands for itself. */
export function currenciesOf(unit: string): readonly string[] {
  signs ??= allSigns();
  const key = unit.toLowerCase().replace(/\.$/, "");
  return [...(signs.get(key) ?? (/^[a-z]{3}$/.test(key) ? [key.toUpperCase()] : []))];
}
