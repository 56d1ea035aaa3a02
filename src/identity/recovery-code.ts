import type { Statement } from "../database/statement.ts";
import { groupLetters, lettersOf, randomLetters } from "../text/code-letters.ts";
import { hashSecret } from "./secrets.ts";

// The recovery code is kept on paper, apart from every access key. It lets a server's only admin decide about their own
// work and about callers that they created, and vouch for new ones. A program that holds only a stolen key can do
// neither.

/** Letters of a recovery code: 150 random bits. */
const LENGTH = 30;

/** Returns a new code of 150 random bits, and its hash, which is all that the database stores. */
export function newRecoveryCode(): { code: string; hash: string } {
  const letters = randomLetters(LENGTH);
  return { code: groupLetters(letters), hash: hashCode(letters) };
}

/** Replaces any earlier code. */
export const setRecoveryCode = (hash: string, now: number): Statement => ({
  sql: "INSERT OR REPLACE INTO recovery_code (id, hash, created_at) VALUES (1, ?1, ?2)",
  values: [hash, now],
});

/** Returns the letters of a recovery code, ignoring case and grouping; undefined if the text cannot be one. */
export const recoveryLettersOf = (text: string): string | undefined => lettersOf(text, LENGTH);

export const hashCode = (letters: string): string => hashSecret(`recovery ${letters}`);
