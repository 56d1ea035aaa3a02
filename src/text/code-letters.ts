import { randomBytes } from "node:crypto";

// Codes that a person reads from paper or a terminal and enters.

/** Leaves out i, l, o and u, which are easily misread. Each letter is 5 bits. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

export const randomLetters = (length: number): string =>
  [...randomBytes(length)].map((byte) => ALPHABET[byte % ALPHABET.length] ?? "0").join("");

/** Writes a code's letters in groups of five, with hyphens between. */
export const groupLetters = (letters: string): string => letters.match(/.{1,5}/g)?.join("-") ?? letters;

/** Returns the letters of a code of that length, ignoring case and grouping; undefined if the text cannot be one. */
export function lettersOf(text: string, length: number): string | undefined {
  const letters = text.toLowerCase().replaceAll(/[\s-]/g, "");
  return letters.length === length ? letters : undefined;
}
