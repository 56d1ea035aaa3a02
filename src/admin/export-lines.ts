import type { CallerClient } from "../caller/caller-client.ts";
import { type Head, type Header, headerSchema } from "../caller/audit/chain.ts";

/** Records that one request to the object reads. */
const PAGE = 500;

/** Part of a chain: the records after `from`, up to and including `upTo`. A `from` with seq 0 is the beginning. */
export interface Span {
  principal: string;
  started_at: number;
  from: Head;
  upTo: number;
}

/** The lines of an export, a header first, in chunks of whole lines, so that a long chain is never whole in memory. */
export async function* exportChunks(
  object: CallerClient,
  { principal, started_at, from, upTo }: Span,
): AsyncGenerator<string> {
  const header: Header = headerSchema.parse({
    audit: 1,
    principal,
    started_at,
    checkpoint: from.seq === 0 ? null : { seq: from.seq, hash: from.hash },
  });
  yield `${JSON.stringify(header)}\n`;
  for (let after = from.seq; after < upTo;) {
    const page = await object.exportPage(after, upTo, PAGE);
    const last = page.at(-1);
    // Retention may prune records during the export. The verification then shows a gap.
    if (last === undefined) return;
    after = last.seq;
    yield page.map(({ line }) => `${line}\n`).join("");
  }
}

/** The same lines one by one. */
export async function* exportLines(object: CallerClient, span: Span): AsyncGenerator<string> {
  for await (const chunk of exportChunks(object, span)) yield* chunk.trimEnd().split("\n");
}
