// Products and queries are read by the same functions, so that "17 inch", `17"` and "17-inch" are one word on
// both sides. FTS5 splits the result at spaces and does nothing else.

/** Measures are written in many ways in every trade; each line is one unit and its other spellings. */
const UNITS: Readonly<Record<string, string>> = {
  inch: `in inches zoll pulgada pulgadas pouce pouces pollici "`,
  ft: "foot feet '",
  yd: "yard yards",
  mm: "millimeter millimeters millimetre millimetres",
  cm: "centimeter centimeters centimetre centimetres",
  m: "meter meters metre metres",
  oz: "ounce ounces",
  lb: "lbs pound pounds",
  g: "gram grams gramm",
  kg: "kilo kilos kilogram kilograms kilogramm",
  ml: "milliliter milliliters millilitre",
  l: "liter liters litre litres litro litros",
  gal: "gallon gallons",
  qt: "quart quarts",
  w: "watt watts",
  kw: "kilowatt kilowatts",
  v: "volt volts",
  a: "amp amps ampere",
  mp: "megapixel megapixels",
  gbps: "gbit",
  mbps: "mbit",
};
/** Units with a single spelling: what counts is that "2 TB" is the word "2tb". */
const PLAIN_UNITS = "gb tb mb hz khz mhz ghz mah kva va lm rpm psi btu hp dpi ppm awg pin port";
/** English plurals that no rule makes. */
const IRREGULAR = `mice=mouse teeth=tooth feet=foot geese=goose men=man women=woman children=child shelves=shelf
  knives=knife leaves=leaf scarves=scarf halves=half wolves=wolf loaves=loaf calves=calf`;
/** "Without" in the languages whose words are separated by spaces: it turns what the next word means around. */
const WITHOUT = new Set("without ohne sans sin senza zonder sem utan uden uten".split(" "));
/** Letters that Unicode does not take apart into a letter and a mark. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  ø: "o",
  ł: "l",
  æ: "ae",
  œ: "oe",
  đ: "d",
  ı: "i",
  ς: "σ",
};

const unitNames = new Map(PLAIN_UNITS.split(" ").map((unit) => [unit, unit]));
for (const [unit, names] of Object.entries(UNITS)) {
  for (const name of [unit, ...names.split(" ")]) unitNames.set(name, unit);
}
const unitWords = [...unitNames.keys()].filter((name) => name.length > 1 || /\p{L}/u.test(name));
// The longest first, because the first alternative that fits is taken. A number is read from its beginning only:
// from the middle of one, a long number would take quadratic time.
const UNIT = new RegExp(
  `(?<![\\d.])(\\d+(?:\\.\\d+)?)[\\s-]*(?:(["'])|(${unitWords.toSorted((a, b) => b.length - a.length).join("|")})(?![\\p{L}\\p{N}]))`,
  "gu",
);
const FRACTION = /(?<![\d/.])(?:(\d+)[\s-]+)?(\d{1,2})\/(2|3|4|8|16|32|64)(?![\d/])/g;

const irregular = new Map(
  IRREGULAR.split(/\s/).map((pair) => {
    const [plural = "", singular = ""] = pair.split("=");
    return [plural, singular];
  }),
);

// Scripts that put no spaces between words are read as pairs of letters.
const UNSPACED =
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\u30fc\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}]&&[\\p{L}\\p{M}]";
const WORD = new RegExp(
  `[${UNSPACED}][[${UNSPACED}]\\p{M}]*|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+(?:\\.\\p{N}[\\p{L}\\p{N}]*)*(?:[+#]{1,3}(?![\\p{L}\\p{N}]))?`,
  "gv",
);
export const isUnspaced = new RegExp(`^[${UNSPACED}]`, "v");
const MEASURE = /^(\d+(?:\.\d+)?)\p{L}{1,4}$/u;
// Begins where a run of letters and digits begins, as UNIT does, for the same reason.
const CODE = /(?<![\p{L}\p{N}])[\p{L}\p{N}]+(?:[-/._][\p{L}\p{N}]+)+/gu;
const CODE_MAX = 40;
const NEGATED = "no_";

/** The words of a text in order: lower case, without accents, with units joined and plurals folded. "without lid" is `no_lid`. */
export function words(text: string): string[] {
  const found: string[] = [];
  let isNegated = false;
  for (const word of plain(text).match(WORD) ?? []) {
    if (WITHOUT.has(word)) {
      isNegated = true;
      continue;
    }
    const parts = isUnspaced.test(word) ? pairs(word) : signs(word);
    found.push(...(isNegated ? parts.map((part) => NEGATED + part) : parts));
    isNegated = false;
  }
  return found;
}

/** The word that a negated one turns around, undefined for a word as it is. */
export function negated(word: string): string | undefined {
  return word.startsWith(NEGATED) ? word.slice(NEGATED.length) : undefined;
}

function plain(text: string): string {
  return text
    .replace(/[\u2122\u00ae\u00a9]/g, "")
    .replace(/(\d)(?=[\u00bc-\u00be\u2150-\u215e])/g, "$1 ")
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[\u0300-\u036f\u064b-\u065f]/g, "")
    .normalize("NFC")
    .replace(/[ßøłæœđıς]/g, (letter) => LETTERS[letter] ?? letter)
    .replace(/\u2044/g, "/")
    .replace(/[\u2018\u2019\u2032]/g, "'")
    .replace(/[\u201c\u201d\u2033]|''/g, '"')
    .replace(/(\d),(?=\d{3}(?!\d))/g, "$1")
    .replace(/(\d),(?=\d)/g, "$1.")
    .replace(FRACTION, (all: string, whole: string | undefined, over: string, under: string) =>
      Number(over) < Number(under)
        ? ` ${Number((Number(whole ?? 0) + Number(over) / Number(under)).toFixed(4))} `
        : all,
    )
    .replace(UNIT, (_, amount: string, sign: string | undefined, unit: string | undefined) => {
      const name = unitNames.get(sign ?? unit ?? "") ?? "";
      return ` ${Number(amount)}${name} `;
    })
    .replace(/'s(?![\p{L}\p{N}])/gu, "");
}

/** A run of letters without spaces as its neighbouring pairs. */
function pairs(run: string): string[] {
  const letters = Array.from(run);
  return letters.length === 1
    ? letters
    : letters.slice(1).map((letter, index) => `${letters[index] ?? ""}${letter}`);
}

/** A measure is found by its number alone as well: "18v" is "18" and "18v". */
function measure(word: string): string[] {
  const [, amount] = MEASURE.exec(word) ?? [];
  return amount === undefined ? [word] : [amount, word];
}

/** "c++" and "c#" are names of their own, in letters because FTS5 sees only those. "S10+" is "S10 plus". */
function signs(word: string): string[] {
  if (/[^+]\+$/.test(word)) return [...measure(stem(word.slice(0, -1))), "plus"];
  return measure(stem(word).replace(/[+#]/g, (sign) => (sign === "+" ? "_plus" : "_sharp")));
}

/** A word with a digit is a code and stays as it is. */
function stem(word: string): string {
  const singular = irregular.get(word);
  if (singular !== undefined) return singular;
  if (word.length < 4 || /\d/.test(word)) return word;
  if (word.endsWith("ies") && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(?:ch|sh|x|ss|zz)es$/.test(word)) return word.slice(0, -2);
  if (word.endsWith("s") && !/(?:ss|us|is)$/.test(word)) return word.slice(0, -1);
  return word;
}

/** A model number, however it is written: "TL-WA860RE" and "tl wa860re" are one. Strips what products.model_code strips. */
export function plainCode(code: string): string {
  return code.toLowerCase().replace(/[-\s/._]/g, "");
}

/** The codes of a text that are written in parts, joined: "TL-WA860RE" gives "tlwa860re". Fractions are no codes. */
export function codes(text: string): string[] {
  const found = text.normalize("NFKC").match(CODE) ?? [];
  return found
    .filter((code) => code.length <= CODE_MAX && /\d/.test(code) && !/^\d+[./]\d/.test(code))
    .map(plainCode);
}

/** The last letters of runs without spaces: the others begin a pair, by which they are found. */
export function lastLetters(text: string): string[] {
  const runs = (plain(text).match(WORD) ?? []).filter((word) => isUnspaced.test(word));
  return runs.flatMap((run) => Array.from(run).slice(1).at(-1) ?? []);
}

/** The numbers inside of words that are no plain numbers: "tw5610" holds "5610". */
export function numbersIn(list: readonly string[]): string[] {
  return list.filter((word) => /\p{L}/u.test(word)).flatMap((word) => word.match(/\d{2,}/g) ?? []);
}

/** Words of attributes have postings of their own, so that looking for one never walks rows that only mention it. */
export const attributeWord = (word: string): string => `a_${word}`;
