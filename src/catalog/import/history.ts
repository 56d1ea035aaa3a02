import * as z from "zod";
import type { Statement } from "../../database/statement.ts";
import { clip, plainLine } from "../../text/plain-text.ts";

// The table `import_history`: how the last imports ended, and their first bad rows. Every import writes one row, whoever began it.

/** Bad rows that are kept of one import, and characters of each problem. */
export const BAD_ROWS_KEPT = 100;
const PROBLEM_MAX = 300;
/** Imports that are kept. */
const KEPT = 200;

const count = z.int().min(0);
export const countsSchema = z.object({
  /** Products that could be read. */
  rows: count,
  bad: count,
  /** Products whose text reads like an instruction. */
  flagged: count,
  /** Null if the import could not compare them with the catalog. */
  added: count.nullable(),
  changed: count.nullable(),
  unchanged: count.nullable(),
  /** Products that were discontinued because the file lacks them. */
  discontinued: count.nullable(),
});

export const badRowSchema = z.object({ line: z.int(), problem: z.string() });
/** A row of the file that is no valid product, by its line or its place in the file. */
export type BadRow = z.output<typeof badRowSchema>;

export const endedSchema = z.object({
  /** Milliseconds since the epoch. */
  ended_at: z.int(),
  source: z.string(),
  made_by: z.string().nullable(),
  outcome: z.enum(["applied", "refused"]),
  counts: countsSchema,
  problem: z.string().nullable(),
  bad_rows: z.array(badRowSchema),
});
/** An import that has ended. */
export type EndedImport = z.output<typeof endedSchema>;

/** Statements that record an import, and forget the oldest ones. */
export const recordImport = (ended: EndedImport): Statement[] => [
  {
    sql: `INSERT INTO import_history (ended_at, source, made_by, outcome, counts, problem, bad_rows)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
    values: [
      ended.ended_at,
      clip(plainLine(ended.source), 200),
      ended.made_by,
      ended.outcome,
      JSON.stringify(ended.counts),
      ended.problem,
      JSON.stringify(
        ended.bad_rows
          .slice(0, BAD_ROWS_KEPT)
          .map(({ line, problem }) => ({ line, problem: clip(plainLine(problem), PROBLEM_MAX) })),
      ),
    ],
  },
  {
    sql: `DELETE FROM import_history WHERE seq <= (SELECT max(seq) FROM import_history) - ${KEPT}`,
    values: [],
  },
];
