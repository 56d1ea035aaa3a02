import { describe, expect, it } from "vitest";
import {
  type Anchor,
  type Head,
  exportLine,
  genesis,
  link,
  verifyChain,
} from "../../src/caller/audit/chain.ts";

const STARTED = 1_800_000_000_000;
const RECORDS = 6;

/** The links of a chain from its genesis on, and the lines of its records. */
function chain(word = "a"): { heads: Head[]; lines: string[] } {
  const heads = [genesis("ada", STARTED)];
  const lines: string[] = [];
  for (let seq = 1; seq <= RECORDS; seq++) {
    const text = JSON.stringify({ seq, word });
    const hash = link(headAt(heads, seq - 1), text);
    heads.push({ seq, hash });
    lines.push(exportLine(text, hash));
  }
  return { heads, lines };
}

function headAt(heads: readonly Head[], seq: number): Head {
  const head = heads[seq];
  if (head === undefined) throw new Error(`No record ${seq}.`);
  return head;
}

const { heads, lines } = chain();

/** The anchor at a record, made when `pruned` records were gone. */
const anchorAt = (seq: number, pruned: number): Anchor => ({
  principal: "ada",
  started_at: STARTED,
  seq,
  hash: headAt(heads, seq).hash,
  checkpoint_seq: pruned,
  checkpoint_hash: headAt(heads, pruned).hash,
  anchored_at: STARTED,
});

/** An export after `pruned` records were removed; a test may forge its checkpoint. */
const exportOf = (pruned: number, { of = lines, checkpoint = headAt(heads, pruned) } = {}) => [
  JSON.stringify({
    audit: 1,
    principal: "ada",
    started_at: STARTED,
    checkpoint: checkpoint.seq === 0 ? null : checkpoint,
  }),
  ...of.slice(pruned),
];

const verify = (exported: string[], anchor: Anchor) => verifyChain(exported, anchor, { earlier: true });

describe("checked against an anchor from before retention pruned", () => {
  it.each([...lines.keys()].flatMap((before) => [...heads.keys()].map((since) => ({ before, since }))))(
    "of $before pruned, a chain of $since pruned since",
    async ({ before, since }) => {
      const anchor = anchorAt(4, Math.min(before, 4));
      const verdict = await verify(exportOf(since), anchor);
      if (since < anchor.checkpoint_seq)
        expect(verdict).toEqual({ ok: false, line: 1, problem: "not_the_anchored_beginning" });
      else if (since > 4) expect(verdict).toEqual({ ok: false, line: 1, problem: "pruned_past_anchor" });
      else
        expect(verdict).toMatchObject({
          ok: true,
          records: RECORDS - since,
          checked: { end: false, beginning: since === anchor.checkpoint_seq },
        });
    },
  );

  it("a rebuilt chain fails, whatever beginning it claims", async () => {
    const anew = chain("b");
    for (const pruned of [0, 1, 2, 3, 4]) {
      const forged = exportOf(pruned, { of: anew.lines, checkpoint: headAt(anew.heads, pruned) });
      expect(await verify(forged, anchorAt(4, 0)), `${pruned}`).toMatchObject({
        ok: false,
        problem: "not_the_anchored_chain",
      });
    }
  });

  it("a different checkpoint of the same record fails", async () => {
    const checkpoint = { seq: 2, hash: "0".repeat(64) };
    expect(await verify(exportOf(2, { checkpoint }), anchorAt(4, 2))).toEqual({
      ok: false,
      line: 1,
      problem: "not_the_anchored_beginning",
    });
    expect(await verify(exportOf(2, { checkpoint }), anchorAt(4, 0))).toMatchObject({ problem: "altered" });
  });

  it("a missing end and a changed record are found", async () => {
    const pruned = exportOf(2);
    expect(await verify(pruned.slice(0, 2), anchorAt(4, 0))).toMatchObject({
      problem: "shorter_than_anchor",
    });
    expect(await verify(exportOf(5).with(1, lines[0] ?? ""), anchorAt(4, 0))).toMatchObject({
      problem: "out_of_order",
    });
    const changed = pruned.map((line, index) => (index === 3 ? line.replace('"a"', '"z"') : line));
    expect(await verify(changed, anchorAt(4, 0))).toMatchObject({ line: 4, problem: "altered" });
  });
});

it("a chain that begins after the anchor written with it is reported as cut off", async () => {
  for (const pruned of [1, 4, 5])
    expect(await verifyChain(exportOf(pruned), anchorAt(4, 0))).toEqual({
      ok: false,
      line: 1,
      problem: "not_the_anchored_beginning",
    });
});
