import * as z from "zod";
import { type Head, exportLine } from "../audit/chain.ts";
import { placesIn } from "./places.ts";
import type { Tables } from "./tables.ts";

const linkRow = z.object({ seq: z.int(), at: z.int(), hash: z.string() });
const exportedRow = z.object({ seq: z.int(), text: z.string(), hash: z.string() });

/** A record as a line of an export. */
export interface ExportedLine {
  seq: number;
  line: string;
}

/** Records as links of the chain, whatever their text. */
export interface ChainRows {
  last(): (Head & { at: number }) | undefined;
  oldestAt(): number | undefined;
  append(at: number, text: string, head: Head): void;
  /** Lines of an export after a record, up to another. */
  lines(after: number, upTo: number, limit: number): ExportedLine[];
  /**
   * The last record to prune: the last one before a moment or up to `upTo`, whichever is later, but at most `most` records
   * after the oldest.
   */
  lastBefore(at: number, upTo: number, most: number): (Head & { at: number }) | undefined;
  prune(upTo: number): void;
}

export function chainRows(tables: Tables): ChainRows {
  const { select, one, run } = tables;
  const { bound, lastAt } = placesIn(tables);
  const linkAt = (query: string, ...values: number[]) => {
    const row = one(query, ...values);
    return row === undefined ? undefined : linkRow.parse(row);
  };
  return {
    last: () => linkAt("SELECT seq, at, hash FROM records ORDER BY seq DESC LIMIT 1"),
    oldestAt: () => linkAt("SELECT seq, at, hash FROM records ORDER BY seq LIMIT 1")?.at,
    append: (at, text, { seq, hash }) =>
      run("INSERT INTO records (seq, at, text, hash) VALUES (?, ?, ?, ?)", seq, at, text, hash),
    lines(after, upTo, limit) {
      const range = "SELECT seq, text, hash FROM records WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?";
      return [...select(range, after, upTo, limit)].map((row) => {
        const { seq, text, hash } = exportedRow.parse(row);
        return { seq, line: exportLine(text, hash) };
      });
    },
    lastBefore(moment, upTo, most) {
      const first = bound("ASC");
      if (first === undefined) return undefined;
      const until = Math.min(Math.max(lastAt(moment - 1), upTo), first + most - 1);
      return linkAt("SELECT seq, at, hash FROM records WHERE seq = ?", until);
    },
    prune(upTo) {
      run("DELETE FROM records WHERE seq <= ?", upTo);
      run("DELETE FROM acts WHERE seq <= ?", upTo);
    },
  };
}
