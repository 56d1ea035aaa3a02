// One reading of text for products and queries alike, so that "17 inch", `17"` and "17-inch" are the
// same word on both sides and no SQL tokenizer has to guess. FTS5 only ever sees the output.

// Begins where a number begins: from the middle of one, a long number would take quadratic time.
const UNIT =
  /(?<![\d.])(\d+(?:\.\d+)?)[\s-]*(gbps|mbps|gbit|mbit|gb|tb|mb|ghz|mhz|hz|mah|mm|cm|ft|kva|va|kw|ml|kg|dpi|ppm|mp|lm|awg|pin|port|watt|volt|inches|inch|in|feet|foot|meters|meter|m|w|v|u)(?![a-z0-9])/g;

/** Other spellings of a unit; one that is missing here stands for itself. */
const UNIT_NAMES: Readonly<Record<string, string>> = {
  inches: "inch",
  in: "inch",
  feet: "ft",
  foot: "ft",
  meters: "m",
  meter: "m",
  watt: "w",
  volt: "v",
  gbit: "gbps",
  mbit: "mbps",
};

const WORD = /[\p{L}\p{N}]+(?:\.\p{N}+)*/gu;
// Begins where a run of letters and digits begins, as UNIT does, for the same reason.
const CODE = /(?<![\p{L}\p{N}])[\p{L}\p{N}]+(?:[-/._][\p{L}\p{N}]+)+/gu;
const CODE_MAX = 40;
const PAIR_MAX = 24;

/** The words of a text in order: lower case, without accents, units joined, plural and -ing folded. */
export function words(text: string): string[] {
  return (prepare(text).match(WORD) ?? []).map(stem);
}

function prepare(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFKD")
    .replace(/[\u0300-\u036f\u2122\u00ae]/g, "")
    .replace(/(\d)\s*(?:"|''|\u201d|\u2033)/g, "$1 inch ")
    .replace(/(\d),(?=\d{3}(?!\d))/g, "$1")
    .replace(/'s\b/g, "")
    .replace(UNIT, (_, amount: string, unit: string) => ` ${Number(amount)}${UNIT_NAMES[unit] ?? unit} `);
}

/** What has a digit is a code and stays as it is. */
export function stem(word: string): string {
  if (word.length < 4 || /\d/.test(word)) return word;
  if (word.endsWith("ies") && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(?:ch|sh|x|ss|zz)es$/.test(word)) return word.slice(0, -2);
  if (word.endsWith("s") && !/(?:ss|us|is)$/.test(word)) return word.slice(0, -1);
  if (word.endsWith("ing") && word.length > 6) return word.slice(0, -3);
  return word;
}

/** A model number, however it is written: "TL-WA860RE" and "tl wa860re" are one. Strips what products.model_code strips. */
export function plainCode(code: string): string {
  return code.toLowerCase().replace(/[-\s/._]/g, "");
}

/** The codes of a text that are written in parts, joined: "TL-WA860RE" gives "tlwa860re". */
export function codes(text: string): string[] {
  const found = text.match(CODE) ?? [];
  return found.filter((code) => /\d/.test(code) && code.length <= CODE_MAX).map(plainCode);
}

/** Neighbouring words written as one, which is how "smart watch" meets "smartwatch". */
export function joined(list: readonly string[]): string[] {
  return list
    .slice(1)
    .map((word, index) => `${list[index] ?? ""}${word}`)
    .filter((pair) => pair.length <= PAIR_MAX && !/\d/.test(pair));
}

// Two name spaces beside the plain words; no shopper's word holds an underscore. The words of
// attributes and of head nouns have postings of their own, so that looking for one never walks the
// thousands of rows that only mention it.
export const headWord = (phrase: string): string => `is_${phrase.replaceAll(" ", "_")}`;
export const attributeWord = (word: string): string => `a_${word}`;
