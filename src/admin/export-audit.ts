import { CallerClient } from "../caller/caller-client.ts";
import { checkRow } from "./chains.ts";
import { exportChunks } from "./export-lines.ts";

/** The anchor that an export ends at, as JSON: one that is asked for later may be of later records. */
const ANCHOR_HEADER = "X-Audit-Anchor";
/** What is wrong with D1's row of the chain, or once was; absent where nothing was. */
const PROBLEM_HEADER = "X-Audit-Row-Problem";

/**
 * A principal's chain as lines of JSON, a header first, up to the anchor that is written as it begins and goes with it as
 * X-Audit-Anchor. Read in pages as the client takes them, so that a long chain stands in no memory whole.
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
