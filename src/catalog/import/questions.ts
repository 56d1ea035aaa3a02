import type { Comparison } from "./comparison.ts";

/** Changes that a person should see before they are made, because they look like a mistake in the file. */
export const QUESTIONS = ["shrunk", "prices"] as const;
export type Question = (typeof QUESTIONS)[number];

/** More than this share of prices that change by over five times looks like a wrong unit. */
const JUMPS_MAX = 0.01;
/** A file with less than this share of the rows before, or of the catalog that it replaces, looks cut off. */
const KEPT_MIN = 0.5;

interface Found {
  rows: number;
  /** Rows of the same feed's last import; null if there is none. */
  rowsBefore: number | null;
  /** Undefined if the catalog can't be read. */
  comparison: Comparison | undefined;
  removeMissing: boolean;
}

export function questionsAbout({ rows, rowsBefore, comparison, removeMissing }: Found): Question[] {
  const { changed = 0, unchanged = 0, missing = 0, price_jumps: jumps = 0 } = comparison ?? {};
  const known = changed + unchanged;
  const isShrunk =
    (rowsBefore !== null && rows < KEPT_MIN * rowsBefore) ||
    (removeMissing && known < KEPT_MIN * (known + missing));
  const found = { shrunk: isShrunk, prices: jumps > JUMPS_MAX * known };
  return QUESTIONS.filter((question) => found[question]);
}
