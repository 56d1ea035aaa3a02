import { DESCRIPTORS, GENERIC, SIGNS } from "./product-kinds.ts";
import { headWord, words } from "./words.ts";

interface Named {
  name: string;
  model: string;
  brand: string;
  attributes: Readonly<Record<string, unknown>>;
}

const TYPE_KEYS = ["product type", "type"];
/** Where a name stops naming the thing and begins to say what it is for or comes with. */
const TAIL =
  /,|;|\(|\s[-–—]\s|\s(?:for|with|without|incl\.?|inc\.?|and|by)\s|\s(?:equivalent|compatible|replaces)\s|\s[wf]\/|\+/i;
const PHRASE_MAX = 3;

/** What a product calls itself, as phrases: "toner cartridge". */
export function typePhrases(product: Named): string[] {
  const phrases = new Set<string>();
  const add = (text: string) => {
    for (const part of text.split("/")) {
      const phrase = words(part).join(" ");
      if (phrase !== "" && !DESCRIPTORS.has(phrase)) phrases.add(phrase);
    }
  };
  for (const key of TYPE_KEYS) {
    const value = product.attributes[key];
    if (typeof value === "string" && value.split(/\s+/).every((word) => /^\p{L}/u.test(word))) add(value);
  }
  const named = typeAfterModel(product);
  add(named);
  if (named === "") {
    const bare = product.name.startsWith(product.brand)
      ? product.name.slice(product.brand.length)
      : product.name;
    add(typeAtEnd(product.model) || typeAtEnd(bare));
    for (const kind of signsOf(Object.keys(product.attributes))) add(kind);
  }
  return [...phrases];
}

/**
 * Head nouns as words of their own ("is_cartridge", "is_toner_cartridge"): only the end of a phrase
 * names the thing, and a word that heads nothing is known to without walking what merely mentions it.
 */
export function headWords(phrases: readonly string[]): string[] {
  const found = new Set<string>();
  for (const phrase of phrases) {
    const list = phrase.split(" ");
    const ends = GENERIC.has(list.at(-1) ?? "") ? [list, list.slice(0, -1)] : [list];
    for (const end of ends) {
      for (let size = 1; size <= Math.min(PHRASE_MAX, end.length); size++) {
        found.add(headWord(end.slice(-size).join(" ")));
      }
    }
  }
  return [...found];
}

/** Catalogs put the type behind the model and values behind the type: "Xerox 006R90321 [toner cartridge] Original". */
function typeAfterModel({ name, model }: Named): string {
  const at = model === "" ? -1 : name.toLowerCase().indexOf(model.toLowerCase());
  if (at < 0) return "";
  const phrase: string[] = [];
  for (const word of name
    .slice(at + model.length)
    .trim()
    .split(/\s+/)) {
    if (phrase.length === 0 && DESCRIPTORS.has(word.toLowerCase())) continue;
    if (!isPlain(word) || (phrase.length > 0 && /^\p{Lu}/u.test(word))) break;
    phrase.push(word);
  }
  return phrase.join(" ");
}

/** Where that fails, English puts the head noun last: "USB C to DisplayPort Cable - 2 m" is a cable. */
function typeAtEnd(text: string): string {
  const list = (text.split(TAIL).find((part) => part.trim() !== "") ?? "").trim().split(/\s+/);
  while (list.length > 0 && !isPlain(list.at(-1) ?? "")) list.pop();
  let from = list.length;
  while (from > 0 && list.length - from < PHRASE_MAX && isPlain(list[from - 1] ?? "")) from--;
  return list.slice(from).join(" ");
}

function isPlain(word: string): boolean {
  return /^\p{L}[\p{L}/&-]+$/u.test(word) && !DESCRIPTORS.has(word.toLowerCase());
}

function signsOf(keys: readonly string[]): string[] {
  const has = (start: string) => keys.some((key) => key.startsWith(start));
  return [...new Set(SIGNS.filter(([, ...needed]) => needed.every(has)).map(([kind]) => kind))];
}
