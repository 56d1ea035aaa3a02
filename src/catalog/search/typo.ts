import { distance } from "fastest-levenshtein";

/** A word with fewer matches may be misspelt, or unfinished. */
export const THIN = 3;
/** Letters from which two edits are a slip and not another word. */
const LONG = 6;

/** The FTS5 expression that finds words like this one, of three letters or more, by their trigrams. */
export function matchAlike(word: string): string {
  const trigrams = Array.from({ length: word.length - 2 }, (_, at) => `"${word.slice(at, at + 3)}"`);
  return [...new Set(trigrams)].join(" OR ");
}

/** The known words that were probably meant, the nearest first. */
export function corrections(word: string, known: readonly string[]): string[] {
  const allowed = word.length < LONG ? 1 : 2;
  return known
    .map((other) => ({ other, edits: editsBetween(word, other) }))
    .filter(({ edits }) => edits > 0 && edits <= allowed)
    .toSorted((a, b) => a.edits - b.edits || (a.other < b.other ? -1 : 1))
    .map(({ other }) => other);
}

/** Two letters swapped are the commonest slip of all, and one edit rather than two. */
function editsBetween(word: string, other: string): number {
  const plain = distance(word, other);
  if (plain !== 2 || word.length !== other.length) return plain;
  const at = Array.from(word).findIndex((letter, index) => letter !== other[index]);
  const swapped = word.slice(0, at) + (word[at + 1] ?? "") + (word[at] ?? "") + word.slice(at + 2);
  return swapped === other ? 1 : plain;
}
