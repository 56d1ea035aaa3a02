// A search as it may be counted: its words, unless they look like a person's data.

const WORDS_MAX = 8;
const WORD_MAX = 24;
/** Digits of any script that may be a phone number, a card or a customer's number: six without a letter between two of them. */
const LONG_NUMBER = /\p{N}(?:[\p{M} ]*\p{N}){5}/u;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/** The words in lower case, and a key that is equal for equal searches in any order of words. */
export interface SearchText {
  shown: string;
  key: string;
}

/** Returns undefined for a text without words, one that looks like an address or a long number, and one longer than searches are. */
export function searchTextOf(query: string): SearchText | undefined {
  const text = query.normalize("NFKC").toLowerCase();
  if (text.includes("@")) return undefined;
  const shown = text.match(WORD) ?? [];
  if (shown.length > WORDS_MAX || shown.some((word) => word.length > WORD_MAX)) return undefined;
  if (shown.length === 0) return undefined;
  // Between words, any sign has become a space.
  const words = shown.join(" ");
  if (LONG_NUMBER.test(words)) return undefined;
  return { shown: words, key: [...new Set(shown.map(plain))].toSorted().join(" ") };
}

/** The word without accents, and in the singular if it is a regular plural. */
function plain(word: string): string {
  const bare = word.normalize("NFKD").replace(/\p{M}/gu, "").normalize("NFC");
  return /^\p{L}{3,}s$/u.test(bare) && !/(?:ss|us|is)$/.test(bare) ? bare.slice(0, -1) : bare;
}
