import { type Anchor, type Head, type Problem, isUntold, verifyChain } from "../windows/chain.ts";

/** What a check of one principal's chain found. */
export type Verified =
  | { ok: true; records: number; head: Head; before: BeforeCheck }
  | { ok: false; line: number; problem: Problem };

/** What the anchor says that stood in D1 before the check wrote a new one. */
type BeforeCheck =
  | { state: "in chain"; anchored_at: number; seq: number }
  | { state: "pruned"; anchored_at: number }
  | { state: "none" };

/**
 * Checks a chain as it is exported, against the anchor that the export writes and the one that stood before it: a chain
 * made anew since then would agree with the new one alone.
 */
export async function verifyExport(
  lines: AsyncIterable<string>,
  { before, now }: { before: Anchor | undefined; now: Anchor },
): Promise<Verified> {
  // A chain that ended would have closed its anchor.
  if (before !== undefined && before.started_at !== now.started_at)
    return { ok: false, line: 1, problem: "not_the_anchored_chain" };
  const isKept = before !== undefined && before.seq >= now.checkpoint_seq;
  // The header is line 1, and stands for the checkpoint; the record behind that is line 2.
  const lineOfBefore = isKept ? before.seq - now.checkpoint_seq + 1 : 0;
  let [line, isMet] = [0, lineOfBefore === 1 && before?.hash === now.checkpoint_hash];
  const watched = (async function* watch() {
    for await (const text of lines) {
      line += 1;
      if (line > 1 && line === lineOfBefore) isMet = text.endsWith(`"hash":"${before?.hash}"}`);
      yield text;
    }
  })();
  const verdict = await verifyChain(watched, now);
  // Nothing is pruned past an anchor that was written just now, and what is read here is whole.
  if (!verdict.ok)
    return isUntold(verdict.problem)
      ? { ok: false, line: verdict.line, problem: "not_the_anchored_beginning" }
      : { ok: false, line: verdict.line, problem: verdict.problem };
  const { records, head } = verdict;
  if (before === undefined) return { ok: true, records, head, before: { state: "none" } };
  const { anchored_at, seq } = before;
  if (!isKept) return { ok: true, records, head, before: { state: "pruned", anchored_at } };
  if (!isMet) return { ok: false, line: lineOfBefore, problem: "not_the_anchored_chain" };
  return { ok: true, records, head, before: { state: "in chain", anchored_at, seq } };
}
