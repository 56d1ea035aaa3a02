import type { Anchor } from "./chain.ts";

/**
 * Ways in which a chain's row in D1 can have been tampered with: it is missing, marked as ended, of another chain, or names
 * records that the chain does not have.
 */
export const ROW_PROBLEMS = ["deleted", "closed", "replaced", "ahead"] as const;
export type RowProblem = (typeof ROW_PROBLEMS)[number];

/** A chain as its own object knows it. `isIndexed`: the chain began so long ago that D1 must have its row. */
interface OwnChain {
  startedAt: number;
  seq: number;
  isIndexed: boolean;
}

/** Returns the problem with a chain's row in D1; null if there is none. */
export function problemOf(
  row: { anchor: Anchor; isClosed: boolean } | undefined,
  { startedAt, seq, isIndexed }: OwnChain,
): RowProblem | null {
  const isSameChain = row?.anchor.started_at === startedAt;
  if (row !== undefined && isSameChain && row.anchor.seq > seq) return "ahead";
  // A new chain enters the index only after D1 has its first row; until then the row may belong to the previous chain.
  if (!isIndexed) return null;
  if (row === undefined) return "deleted";
  if (row.isClosed) return "closed";
  return isSameChain ? null : "replaced";
}
