import { describe, expect, it } from "vitest";
import { verifyPart } from "../../../src/admin/verify.ts";
import { type Anchor, exportLine, genesis, link } from "../../../src/caller/audit/chain.ts";

const STARTED = 1_800_000_000_000;

/** Builds an export of `records` records, and the anchor at each. */
function chain(records: number, { startedAt = STARTED, word = "a" } = {}) {
  let head = genesis("ada", startedAt);
  const checkpoint = head;
  const lines = [
    JSON.stringify({ audit: 1, principal: "ada", started_at: startedAt, checkpoint: null }),
    ...Array.from({ length: records }, (_, index) => {
      const text = JSON.stringify({ seq: index + 1, word });
      head = { seq: index + 1, hash: link(head, text) };
      return exportLine(text, head.hash);
    }),
  ];
  const anchor: Anchor = {
    principal: "ada",
    started_at: startedAt,
    seq: head.seq,
    hash: head.hash,
    checkpoint_seq: checkpoint.seq,
    checkpoint_hash: checkpoint.hash,
    anchored_at: startedAt + records,
  };
  return { lines, anchor };
}

async function* each(lines: readonly string[]) {
  yield* lines;
}
const { lines, anchor: now } = chain(5);
const beginning = { seq: now.checkpoint_seq, hash: now.checkpoint_hash };

/** Checks a chain so many records at a time, as requests do that follow each other. */
async function verify(before: Anchor | undefined, given = lines, most = 5) {
  let [at, isMet] = [beginning, false];
  for (;;) {
    const upTo = Math.min(now.seq, at.seq + most);
    const header = { audit: 1, principal: "ada", started_at: STARTED, checkpoint: at.seq === 0 ? null : at };
    const part = [at.seq === 0 ? given[0] : JSON.stringify(header), ...given.slice(at.seq + 1, upTo + 1)];
    const checked = await verifyPart(
      each(part.filter((line) => line !== undefined)),
      { now, before: before ?? null, at, isMet },
      upTo,
    );
    if ("verified" in checked) return checked.verified;
    ({ at, isMet } = checked);
  }
}

describe("a chain is checked against the earlier anchor", () => {
  it.each([1, 3, 5])("and contains it, at record %i", async (seq) => {
    expect(await verify(chain(seq).anchor)).toMatchObject({
      ok: true,
      records: 5,
      head: { seq: 5, hash: now.hash },
      before: { state: "in chain", seq },
    });
  });

  it("and was rebuilt since: its own anchor proves nothing", async () => {
    expect(await verify(chain(3, { word: "b" }).anchor)).toEqual({
      ok: false,
      line: 4,
      problem: "not_the_anchored_chain",
    });
  });

  it("and began at another time without an end", async () => {
    expect(await verify(chain(3, { startedAt: STARTED - 1 }).anchor)).toMatchObject({ ok: false, line: 1 });
  });

  it("and lacks later records: the end was cut off", async () => {
    expect(await verify(chain(7).anchor)).toMatchObject({ ok: false, problem: "not_the_anchored_chain" });
  });

  it("and there was none", async () => {
    expect(await verify(undefined)).toMatchObject({ ok: true, before: { state: "none" } });
  });
});

describe.each([1, 2, 3, 5])("%i records at a time", (most) => {
  it("a sound chain is found sound", async () => {
    for (const seq of [1, 2, 3, 5])
      expect(await verify(chain(seq).anchor, lines, most)).toMatchObject({
        ok: true,
        records: 5,
        head: { seq: 5, hash: now.hash },
        before: { state: "in chain", seq },
      });
  });

  it("a changed record is named by its line", async () => {
    const changed = lines.map((line, index) => (index === 2 ? line.replace('"a"', '"z"') : line));
    expect(await verify(chain(5).anchor, changed, most)).toEqual({ ok: false, line: 3, problem: "altered" });
  });

  it("a chain that was made anew is found", async () => {
    const other = chain(3, { word: "b" }).anchor;
    expect(await verify(other, lines, most)).toMatchObject({ ok: false, line: 4 });
  });

  it("a record that is missing is found", async () => {
    const cut = lines.filter((_, index) => index !== 4);
    expect(await verify(undefined, cut, most)).toMatchObject({ ok: false });
  });

  it("a cut-off end is found", async () => {
    expect(await verify(undefined, lines.slice(0, -1), most)).toMatchObject({ ok: false });
  });
});
