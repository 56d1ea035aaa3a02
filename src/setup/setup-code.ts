import { groupLetters, lettersOf, randomLetters } from "../text/code-letters.ts";

/** Letters of a setup code: 100 random bits. */
const LENGTH = 20;

/** Returns a new setup code in groups of letters. */
export const newSetupCode = (): string => groupLetters(randomLetters(LENGTH));

/** Returns the letters of a setup code, ignoring case and grouping; undefined if the text cannot be one. */
export const setupLettersOf = (text: string): string | undefined => lettersOf(text, LENGTH);
