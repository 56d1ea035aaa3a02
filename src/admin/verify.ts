import { type Anchor, type Head, type Problem, isUntold, verifyChain } from "../caller/audit/chain.ts";

/** What a check of one principal's chain found. */
export type Verified =
  | { ok: true; records: number; head: Head; before: BeforeCheck }
  | { ok: false; line: number; problem: Problem };

/** What the anchor says that stood in D1 before the check wrote a new one. */
type BeforeCheck =
  | { state: "in chain"; anchored_at: number; seq: number }
  | { state: "pruned"; anchored_at: number }
  | { state: "none" };

interface Progress {
  /** The anchor that the check wrote as it began, and the one that stood before. */
  now: Anchor;
  before: Anchor | null;
  /** The last record that was checked. */
  at: Head;
  /** Whether the chain so far holds the anchor that stood before. */
  isMet: boolean;
}

/** Checked up to a record, and sound so far. */
type Part = Pick<Progress, "at" | "isMet">;

/**
 * Checks the lines of a chain behind `at`, up to a record: against the anchor that was written as the check began and the one
 * that stood before, because a chain made anew in between would agree with the new one alone. The lines begin with a header.
 */
export async function verifyPart(
  lines: AsyncIterable<string>,
  { now, before, at, isMet }: Progress,
  upTo: number,
): Promise<{ verified: Verified } | Part> {
  const fail = (line: number, problem: Problem) => ({ verified: { ok: false, line, problem } as const });
  // A chain that ended would have closed its anchor.
  if (before !== null && before.started_at !== now.started_at) return fail(1, "not_the_anchored_chain");
  // The header is line 1, and stands for the checkpoint; the record behind that is line 2.
  const lineOf = (seq: number) => seq - now.checkpoint_seq + 1;
  let [seq, isHeld] = [at.seq - 1, isMet];
  const watched = (async function* watch() {
    for await (const text of lines) {
      seq += 1;
      if (seq > at.seq && seq === before?.seq) isHeld = text.endsWith(`"hash":"${before.hash}"}`);
      yield text;
    }
  })();
  const isLast = upTo >= now.seq;
  const anchor = isLast ? { ...now, checkpoint_seq: at.seq, checkpoint_hash: at.hash } : undefined;
  const verdict = await verifyChain(watched, anchor);
  // Nothing is pruned past an anchor that was written just now, and what is read here is whole.
  if (!verdict.ok)
    return isUntold(verdict.problem)
      ? fail(lineOf(at.seq) + verdict.line - 1, "not_the_anchored_beginning")
      : fail(lineOf(at.seq) + verdict.line - 1, verdict.problem);
  const { head } = verdict;
  if (!isLast)
    return head.seq < upTo ? fail(lineOf(head.seq + 1), "out_of_order") : { at: head, isMet: isHeld };
  const records = now.seq - now.checkpoint_seq;
  const sound = (found: BeforeCheck) => ({ verified: { ok: true, records, head, before: found } as const });
  if (before === null) return sound({ state: "none" });
  const { anchored_at } = before;
  if (before.seq < now.checkpoint_seq) return sound({ state: "pruned", anchored_at });
  if (!isHeld) return fail(lineOf(before.seq), "not_the_anchored_chain");
  return sound({ state: "in chain", anchored_at, seq: before.seq });
}
