import { type Anchor, type Header, headerSchema } from "../windows/chain.ts";
import { CallerObject } from "../windows/caller-object.ts";
import { findAnchor } from "../windows/anchors.ts";
import { type RowProblem, rowProblem } from "./chains.ts";
import { type Verified, verifyExport } from "./verify.ts";

const PAGE = 500;
/** The anchor that an export ends at, as JSON: one that is asked for later may be of later records. */
const ANCHOR_HEADER = "X-Audit-Anchor";
/** What was wrong with D1's row of the chain before the export wrote it anew; absent where nothing was. */
const PROBLEM_HEADER = "X-Audit-Row-Problem";

/**
 * A principal's chain as lines of JSON, a header first, up to the anchor that is written as it begins and goes with it as
 * X-Audit-Anchor. Read in pages as the client takes them, so that a long chain stands in no memory whole.
 */
export async function exportAudit(env: Env, principal: string): Promise<Response | undefined> {
  const object = new CallerObject(env.USER_WINDOWS, principal);
  const problem = await rowProblem(env, principal);
  const anchor = await object.anchor();
  if (anchor === undefined) return undefined;
  const chunks = chunksOf(object, anchor);
  const body = new ReadableStream<string>({
    async pull(controller) {
      const { value, done } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
  });
  return new Response(body.pipeThrough(new TextEncoderStream()), {
    headers: {
      "Content-Type": "application/x-ndjson",
      "Cache-Control": "no-store",
      [ANCHOR_HEADER]: JSON.stringify(anchor),
      ...(problem !== null && { [PROBLEM_HEADER]: problem }),
    },
  });
}

export interface Checked {
  verified: Verified;
  /** As the check wrote it. */
  anchor: Anchor;
  /** What was wrong with D1's row before. */
  problem: RowProblem | null;
}

/** Checks a principal's chain as it would be exported now; undefined where there is none. */
export async function checkAudit(env: Env, principal: string): Promise<Checked | undefined> {
  const object = new CallerObject(env.USER_WINDOWS, principal);
  const [problem, before] = [await rowProblem(env, principal), await findAnchor(env.DB, principal)];
  const anchor = await object.anchor();
  if (anchor === undefined) return undefined;
  const isUsable = problem === null;
  const verified = await verifyExport(linesOf(chunksOf(object, anchor)), {
    before: isUsable ? before : undefined,
    now: anchor,
  });
  return { verified, anchor, problem };
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const chunk of chunks) yield* chunk.trimEnd().split("\n");
}

/** Whole lines. */
async function* chunksOf(object: CallerObject, anchor: Anchor): AsyncGenerator<string> {
  const header: Header = headerSchema.parse({
    audit: 1,
    principal: anchor.principal,
    started_at: anchor.started_at,
    checkpoint:
      anchor.checkpoint_seq === 0 ? null : { seq: anchor.checkpoint_seq, hash: anchor.checkpoint_hash },
  });
  yield `${JSON.stringify(header)}\n`;
  for (let after = anchor.checkpoint_seq; after < anchor.seq;) {
    const page = await object.exportPage(after, anchor.seq, PAGE);
    const last = page.at(-1);
    // Retention may prune what this export still had before it; the verification then shows a gap.
    if (last === undefined) return;
    after = last.seq;
    yield page.map(({ line }) => `${line}\n`).join("");
  }
}
