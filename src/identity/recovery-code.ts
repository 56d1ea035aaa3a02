import { randomBytes } from "node:crypto";
import type { Statement } from "../database/statement.ts";
import { hashSecret } from "./secrets.ts";

// The recovery code stands on paper, apart from every access key. It lets a server's only admin decide about their own work
// and about callers that they made, and vouch for new ones; a program that holds only a stolen key can do neither.

/** Without i, l, o and u, which are misread. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH = 30;
const GROUP = 5;

/** A code of 150 random bits, and its hash, which is all that the database keeps. */
export function newRecoveryCode(): { code: string; hash: string } {
  const letters = [...randomBytes(LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length] ?? "0");
  const groups = Array.from({ length: LENGTH / GROUP }, (_, index) =>
    letters.slice(index * GROUP, (index + 1) * GROUP).join(""),
  );
  return { code: groups.join("-"), hash: hashCode(letters.join("")) };
}

/** Takes the place of an earlier code. */
export const setRecoveryCode = (hash: string, now: number): Statement => ({
  sql: "INSERT OR REPLACE INTO recovery_code (id, hash, created_at) VALUES (1, ?1, ?2)",
  values: [hash, now],
});

/** The letters of a code, however it is grouped and in whichever case; undefined for what can't be one. */
export function lettersOf(text: string): string | undefined {
  const letters = text.toLowerCase().replaceAll(/[\s-]/g, "");
  return letters.length === LENGTH ? letters : undefined;
}

export const hashCode = (letters: string): string => hashSecret(`recovery ${letters}`);
