import { plainLine } from "../text/plain-text.ts";

// What customers are found by. Rows and questions are written the same way, so that what a person
// types differently, accents, case, spaces, dashes, makes no difference.

/** Lower case, without accents and punctuation, words apart by one space. */
export const nameKey = (name: string): string =>
  plainLine(name)
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();

export const emailKey = (email: string): string => plainLine(email).toLowerCase();

/** Digits alone; an international prefix of 00 is as good as +. */
export const phoneKey = (phone: string): string => phone.replace(/\D/g, "").replace(/^00/, "");

export const postcodeKey = (postcode: string): string => nameKey(postcode).replaceAll(" ", "");
