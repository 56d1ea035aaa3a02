import { plainLine } from "../text/plain-text.ts";

// Normalizes the values by which customers are found. Rows and searches use the same functions, so accents, case,
// spaces and dashes make no difference.

/** Lower case, without accents and punctuation, words separated by one space. */
export const nameKey = (name: string): string =>
  plainLine(name)
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

export const emailKey = (email: string): string => plainLine(email).toLowerCase();

/** Digits only; a leading 00 counts as +. */
export const phoneKey = (phone: string): string => phone.replace(/\D/g, "").replace(/^00/, "");

export const postcodeKey = (postcode: string): string => nameKey(postcode).replaceAll(" ", "");
