import { type Anchor, type Head, type Problem, isInconclusive, verifyChain } from "../caller/audit/chain.ts";

/** The result of checking one principal's chain. */
export type Verified =
  | { ok: true; records: number; head: Head; before: BeforeCheck }
  | { ok: false; line: number; problem: Problem };

/** The anchor that D1 had before the check wrote a new one, compared with the chain. */
type BeforeCheck =
  | { state: "in chain"; anchored_at: number; seq: number }
  | { state: "pruned"; anchored_at: number }
  | { state: "none" };

interface Progress {
  /** The anchor that the check wrote when it began. */
  now: Anchor;
  /** The anchor that D1 had before. */
  before: Anchor | null;
  /** The last record that was checked. */
  at: Head;
  /** Whether the records so far contain the anchor `before`. */
  isMet: boolean;
}

/** The progress of a check that found no problem so far. */
type Part = Pick<Progress, "at" | "isMet">;

/**
 * Checks the lines of a chain after `at`, up to a record. It compares them with both anchors, because a chain that was replaced
 * in between would agree with the new anchor. The lines begin with a header.
 */
export async function verifyPart(
  lines: AsyncIterable<string>,
  { now, before, at, isMet }: Progress,
  upTo: number,
): Promise<{ verified: Verified } | Part> {
  const fail = (line: number, problem: Problem) => ({ verified: { ok: false, line, problem } as const });
  // A chain that ended regularly would have closed its anchor.
  if (before !== null && before.started_at !== now.started_at) return fail(1, "not_the_anchored_chain");
  // Line 1 is the header, which stands for the checkpoint. Line 2 is the record after it.
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
  // The anchor was written just now, so neither pruning nor a cut-off file can explain a missing beginning.
  if (!verdict.ok)
    return isInconclusive(verdict.problem)
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
