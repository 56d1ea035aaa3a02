import type { Anchor } from "./chain.ts";

/** How D1's row of a chain was changed from outside: it is gone, says that the chain is over, is of another chain, or names later records. */
export const ROW_PROBLEMS = ["deleted", "closed", "replaced", "ahead"] as const;
export type RowProblem = (typeof ROW_PROBLEMS)[number];

/** A chain as its own object has it. `isIndexed`: it has begun so long ago that D1 must have its row. */
interface Standing {
  startedAt: number;
  seq: number;
  isIndexed: boolean;
}

/** What is wrong with D1's row of a chain; null where nothing is. */
export function problemOf(
  row: { anchor: Anchor; isClosed: boolean } | undefined,
  { startedAt, seq, isIndexed }: Standing,
): RowProblem | null {
  const isOfChain = row?.anchor.started_at === startedAt;
  if (row !== undefined && isOfChain && row.anchor.seq > seq) return "ahead";
  // A chain that begins is in the index after its first row is in D1; until then the row may be of the chain before.
  if (!isIndexed) return null;
  if (row === undefined) return "deleted";
  if (row.isClosed) return "closed";
  return isOfChain ? null : "replaced";
}
