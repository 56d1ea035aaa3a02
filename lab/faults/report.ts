import { ANSWERED } from "../support/codes.ts";
import type { Row } from "./row.ts";

export const HEAD = ["fault", "callers saw", "within", "answers are in", "the log has"];
const SECONDS = [1, 2, 4, 6];

/** The cells of one row of the page. */
export function cellsOf({ fault, codes, longestMs, kept, logged }: Row): string[] {
  const within = SECONDS.find((seconds) => longestMs <= seconds * 1_000);
  const events = logged.map((event) => `\`${event}\``).join(", ");
  return [fault, seen(codes), within === undefined ? "longer" : `${within} s`, kept, events];
}

function seen(codes: Row["codes"]): string {
  const all = Object.keys(codes);
  const byCode = Map.groupBy(all, (name) => codes[name] ?? "");
  const answered = byCode.get(ANSWERED) ?? [];
  if (answered.length === all.length) return "every answer";
  byCode.delete(ANSWERED);
  const refused = [...byCode].map(([code, names]) => {
    const isMost = byCode.size === 1 && names.length > answered.length;
    const what = all.length === 1 ? names.join() : isMost ? allBut(answered) : names.join(", ");
    return code === "no answer" ? `no answer: ${what}` : `\`${code}\`: ${what}`;
  });
  return refused.join("; ");
}

const allBut = (names: readonly string[]): string =>
  names.length === 0 ? "every call" : `every call but ${names.join(", ")}`;
