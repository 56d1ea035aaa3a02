import { CallerClient } from "../caller/caller-client.ts";
import { checkRow } from "./anchor-row.ts";
import { exportChunks } from "./export-lines.ts";

/** Header with the anchor at the end of the export, as JSON. An anchor that is read later may be of later records. */
const ANCHOR_HEADER = "X-Audit-Anchor";
/** Header with a present or past fault of D1's row of the chain; absent if there never was one. */
const PROBLEM_HEADER = "X-Audit-Row-Problem";

/**
 * Exports a principal's chain as JSONL, a header line first, up to an anchor that is written now and sent as X-Audit-Anchor.
 * It is streamed in pages as the client reads, so that a long chain is never whole in memory.
 */
export async function exportAudit(env: Env, principal: string): Promise<Response | undefined> {
  const object = new CallerClient(env.USER_WINDOWS, principal);
  const { finding } = await checkRow(env, principal);
  const anchor = await object.anchor();
  if (anchor === undefined) return undefined;
  const { started_at, checkpoint_seq: seq, checkpoint_hash: hash } = anchor;
  const chunks = exportChunks(object, { principal, started_at, from: { seq, hash }, upTo: anchor.seq });
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
      ...(finding !== undefined && { [PROBLEM_HEADER]: finding.problem }),
    },
  });
}
