import { randomBytes } from "node:crypto";
import type { Statement } from "../database/statement.ts";
import { hashSecret } from "./secrets.ts";

// The recovery code is kept on paper, apart from every access key. It lets a server's only admin decide about their own
// work and about callers that they created, and vouch for new ones. A program that holds only a stolen key can do
// neither.

/** Leaves out i, l, o and u, which are easily misread. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH = 30;
const GROUP = 5;

/** Returns a new code of 150 random bits, and its hash, which is all that the database stores. */
export function newRecoveryCode(): { code: string; hash: string } {
  const letters = [...randomBytes(LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length] ?? "0");
  const groups = Array.from({ length: LENGTH / GROUP }, (_, index) =>
    letters.slice(index * GROUP, (index + 1) * GROUP).join(""),
  );
  return { code: groups.join("-"), hash: hashCode(letters.join("")) };
}

/** Replaces any earlier code. */
export const setRecoveryCode = (hash: string, now: number): Statement => ({
  sql: "INSERT OR REPLACE INTO recovery_code (id, hash, created_at) VALUES (1, ?1, ?2)",
  values: [hash, now],
});

/** Returns the letters of a code, ignoring case and grouping; undefined if the text cannot be one. */
export function lettersOf(text: string): string | undefined {
  const letters = text.toLowerCase().replaceAll(/[\s-]/g, "");
  return letters.length === LENGTH ? letters : undefined;
}

export const hashCode = (letters: string): string => hashSecret(`recovery ${letters}`);
