import * as z from "zod";
import type { Tables } from "./tables.ts";

export const timeRow = z.object({ at: z.int() }).optional();
const seqRow = z.object({ seq: z.int() }).optional();

export interface Places {
  /** Number of the oldest or the newest record; undefined where there is none. */
  bound: (order: "ASC" | "DESC") => number | undefined;
  /** Number of the last record that is not younger than a moment; 0 where none is so old. */
  lastAt: (moment: number) => number;
}

/** Finds records by time. Searches by halves: numbers have no gaps, times never go back, and an index would cost a write a record. */
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
