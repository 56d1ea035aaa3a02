import { describe, expect, it } from "vitest";
import { verifyPart } from "../../../src/admin/verify-part.ts";
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

describe("a chain is compared with the anchor before the check", () => {
  it.each([1, 3, 5])("contains the anchor of record %i", async (seq) => {
    expect(await verify(chain(seq).anchor)).toMatchObject({
      ok: true,
      records: 5,
      head: { seq: 5, hash: now.hash },
      before: { state: "in chain", seq },
    });
  });

  it("finds a chain that was replaced since, although its new anchor fits", async () => {
    expect(await verify(chain(3, { word: "b" }).anchor)).toEqual({
      ok: false,
      line: 4,
      problem: "not_the_anchored_chain",
    });
  });

  it("finds a chain that began at another time although the first never ended", async () => {
    expect(await verify(chain(3, { startedAt: STARTED - 1 }).anchor)).toMatchObject({ ok: false, line: 1 });
  });

  it("finds that the end was cut off if the anchor is of a later record", async () => {
    expect(await verify(chain(7).anchor)).toMatchObject({ ok: false, problem: "not_the_anchored_chain" });
  });

  it("accepts a chain without an earlier anchor", async () => {
    expect(await verify(undefined)).toMatchObject({ ok: true, before: { state: "none" } });
  });
});

describe.each([1, 2, 3, 5])("%i records at a time", (most) => {
  it("accepts an intact chain", async () => {
    for (const seq of [1, 2, 3, 5])
      expect(await verify(chain(seq).anchor, lines, most)).toMatchObject({
        ok: true,
        records: 5,
        head: { seq: 5, hash: now.hash },
        before: { state: "in chain", seq },
      });
  });

  it("names the line of a changed record", async () => {
    const changed = lines.map((line, index) => (index === 2 ? line.replace('"a"', '"z"') : line));
    expect(await verify(chain(5).anchor, changed, most)).toEqual({ ok: false, line: 3, problem: "altered" });
  });

  it("finds a replaced chain", async () => {
    const other = chain(3, { word: "b" }).anchor;
    expect(await verify(other, lines, most)).toMatchObject({ ok: false, line: 4 });
  });

  it("finds a missing record", async () => {
    const cut = lines.filter((_, index) => index !== 4);
    expect(await verify(undefined, cut, most)).toMatchObject({ ok: false });
  });

  it("finds a cut-off end", async () => {
    expect(await verify(undefined, lines.slice(0, -1), most)).toMatchObject({ ok: false });
  });
});
