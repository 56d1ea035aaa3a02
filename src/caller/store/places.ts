import * as z from "zod";
import type { Tables } from "./tables.ts";

export const timeRow = z.object({ at: z.int() }).optional();
const seqRow = z.object({ seq: z.int() }).optional();

export interface Places {
  /** The number of the oldest or the newest record; undefined if there is none. */
  bound: (order: "ASC" | "DESC") => number | undefined;
  /** The number of the last record made at or before a moment; 0 if none is that old. */
  lastAt: (moment: number) => number;
}

/**
 * Finds records by time with a binary search: numbers have no gaps and times never go back. An index would cost one more
 * write for each record.
 */
export function placesIn({ one }: Tables): Places {
  const bound: Places["bound"] = (order) =>
    seqRow.parse(one(`SELECT seq FROM records ORDER BY seq ${order} LIMIT 1`))?.seq;
  return {
    bound,
    lastAt(moment) {
      let [low, high] = [(bound("ASC") ?? 1) - 1, bound("DESC") ?? 0];
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        const at = timeRow.parse(one("SELECT at FROM records WHERE seq = ?", middle))?.at ?? Infinity;
        if (at <= moment) low = middle;
        else high = middle - 1;
      }
      return low;
    },
  };
}
