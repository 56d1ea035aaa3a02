// Splits the text of products and of queries into words, so that "17 inch", `17"` and "17-inch" are the same word in both.
// FTS5 only splits the result at spaces.

import { remembered } from "../../remember.ts";

/** Units of measure, each with its other spellings. */
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
/** Units with a single spelling, so that "2 TB" becomes the word "2tb". */
const PLAIN_UNITS = "gb tb mb hz khz mhz ghz mah kva va lm rpm psi btu hp dpi ppm awg pin port";
/** Irregular English plurals. */
const IRREGULAR = `mice=mouse teeth=tooth feet=foot geese=goose men=man women=woman children=child shelves=shelf
  knives=knife leaves=leaf scarves=scarf halves=half wolves=wolf loaves=loaf calves=calf`;
/** "Without" in languages that separate words by spaces. It negates the next word. */
const WITHOUT = new Set("without ohne sans sin senza zonder sem utan uden uten".split(" "));
/** Letters that Unicode does not decompose into a letter and a mark. */
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
// The longest unit comes first, because the first alternative that matches is taken. A match must begin where a number
// begins; trying from the middle would take quadratic time on a long number.
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

// Scripts without spaces between words are split into pairs of letters.
const UNSPACED =
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\u30fc\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}]&&[\\p{L}\\p{M}]";
const WORD = new RegExp(
  `[${UNSPACED}][[${UNSPACED}]\\p{M}]*|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+(?:\\.\\p{N}[\\p{L}\\p{N}]*)*(?:[+#]{1,3}(?![\\p{L}\\p{N}]))?`,
  "gv",
);
/** Most text is ASCII, which needs no normal form and a tenth of the time to be split. */
const ASCII = /^[\t\n\r -~]*$/;
const DIGIT = /\d/;
const ASCII_WORD = /[a-z\d]+(?:\.\d[a-z\d]*)*(?:[+#]{1,3}(?![a-z\d]))?/g;
export const isUnspaced = new RegExp(`^[${UNSPACED}]`, "v");
const MEASURE = /^(\d+(?:\.\d+)?)\p{L}{1,4}$/u;
// A match must begin where a run of letters and digits begins, for the same reason as in UNIT.
const CODE = /(?<![\p{L}\p{N}])[\p{L}\p{N}]+(?:[-/._][\p{L}\p{N}]+)+/gu;
const SEPARATED = /[A-Za-z\d][-/._][A-Za-z\d]|[^\t\n\r -~]/;
const CODE_MAX = 40;
const NEGATED = "no_";

/** The words of a text in order: lower case, no accents, units joined, plurals folded. "without lid" becomes `no_lid`. */
export function words(text: string): string[] {
  const found: string[] = [];
  let isNegated = false;
  const isAscii = ASCII.test(text);
  for (const word of plain(text, isAscii).match(isAscii ? ASCII_WORD : WORD) ?? []) {
    if (WITHOUT.has(word)) {
      isNegated = true;
      continue;
    }
    const read = readingOf(word);
    found.push(...(isNegated ? read.map((each) => NEGATED + each) : read));
    isNegated = false;
  }
  return found;
}

/** A word as the index has it. */
const partsOf = (word: string): readonly string[] => (isUnspaced.test(word) ? pairs(word) : signs(word));
/** Words repeat; codes and numbers seldom do. */
const repeated = remembered(partsOf);
const readingOf = (word: string) => (DIGIT.test(word) ? partsOf(word) : repeated(word));

/** The word without its negation; undefined if the word is not negated. */
export function negated(word: string): string | undefined {
  return word.startsWith(NEGATED) ? word.slice(NEGATED.length) : undefined;
}

function plain(text: string, isAscii: boolean): string {
  const folded = isAscii ? text.toLowerCase() : toLatin(text);
  const read = (whole: string) => (DIGIT.test(whole) ? measured(whole) : whole);
  if (!folded.includes("'")) return read(folded);
  return read(folded.replaceAll("''", '"')).replace(/'s(?![\p{L}\p{N}])/gu, "");
}

/** Lower case without accents and signs, and typographic marks as ASCII has them. */
const toLatin = (text: string): string =>
  text
    .replace(/[\u2122\u00ae\u00a9]/g, "")
    .replace(/(\d)(?=[\u00bc-\u00be\u2150-\u215e])/g, "$1 ")
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[\u0300-\u036f\u064b-\u065f]/g, "")
    .normalize("NFC")
    .replace(/[ßøłæœđıς]/g, (letter) => LETTERS[letter] ?? letter)
    .replace(/\u2044/g, "/")
    .replace(/[\u2018\u2019\u2032]/g, "'")
    .replace(/[\u201c\u201d\u2033]/g, '"');

/** Numbers without separators of thousands, fractions as decimals, and measures with the name of their unit. */
const measured = (text: string): string =>
  text
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
    });

/** Splits a run of letters without spaces into its overlapping pairs. */
function pairs(run: string): string[] {
  const letters = Array.from(run);
  return letters.length === 1
    ? letters
    : letters.slice(1).map((letter, index) => `${letters[index] ?? ""}${letter}`);
}

/** Adds the number of a measure, so that "18" finds "18v". */
function measure(word: string): string[] {
  const [, amount] = MEASURE.exec(word) ?? [];
  return amount === undefined ? [word] : [amount, word];
}

/** Spells out signs, because FTS5 indexes only letters and digits: "c++" and "c#" are names, "S10+" is "S10 plus". */
function signs(word: string): string[] {
  if (/[^+]\+$/.test(word)) return [...measure(stem(word.slice(0, -1))), "plus"];
  return measure(stem(word).replace(/[+#]/g, (sign) => (sign === "+" ? "_plus" : "_sharp")));
}

/** The singular of a word. A word with a digit is a code and stays unchanged. */
function stem(word: string): string {
  const singular = irregular.get(word);
  if (singular !== undefined) return singular;
  if (word.length < 4 || /\d/.test(word)) return word;
  if (word.endsWith("ies") && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(?:ch|sh|x|ss|zz)es$/.test(word)) return word.slice(0, -2);
  if (word.endsWith("s") && !/(?:ss|us|is)$/.test(word)) return word.slice(0, -1);
  return word;
}

/** Normalises a model number: "TL-WA860RE" and "tl wa860re" are equal. Strips the same characters as products.model_code. */
export function plainCode(code: string): string {
  return code.toLowerCase().replace(/[-\s/._]/g, "");
}

/** The codes of a text that contain separators, joined: "TL-WA860RE" gives "tlwa860re". Fractions are not codes. */
export function codes(text: string): string[] {
  if (!SEPARATED.test(text)) return [];
  const found = text.normalize("NFKC").match(CODE) ?? [];
  return found
    .filter((code) => code.length <= CODE_MAX && /\d/.test(code) && !/^\d+[./]\d/.test(code))
    .map(plainCode);
}

/** The last letters of unspaced runs. Every other letter begins a pair, which finds it. */
export function lastLetters(text: string): string[] {
  if (ASCII.test(text)) return [];
  const runs = (plain(text, false).match(WORD) ?? []).filter((word) => isUnspaced.test(word));
  return runs.flatMap((run) => Array.from(run).slice(1).at(-1) ?? []);
}

/** The numbers inside words that also have letters: "5610" in "tw5610". */
export function numbersIn(list: readonly string[]): string[] {
  return list
    .filter((word) => DIGIT.test(word) && /\p{L}/u.test(word))
    .flatMap((word) => word.match(/\d{2,}/g) ?? []);
}

/** The index word of an attribute's word. It differs from a word of the text, so a search for it skips other rows. */
export const attributeWord = (word: string): string => `a_${word}`;
