import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { anchorSchema, parseExportLine, verifyChain } from "../../src/caller/audit/chain.ts";
import { recordSchema } from "../../src/caller/audit/records.ts";

/** An exported and verified chain. */
export interface Chain {
  /** Why it is not valid, or not complete from its beginning to its anchor; undefined if it is. */
  problem: string | undefined;
  records: number;
  bytes: number;
  /** Calls that it records, with those that a record only counts. */
  calls: number;
  /** Calls that have a record of their own. */
  ids: Set<string>;
}

/** Exports a principal's chain and verifies it; undefined if it has none. */
export async function readChain(
  url: string,
  adminKey: string,
  principal: string,
): Promise<Chain | undefined> {
  const response = await fetch(`${url}/admin/api/audit/${encodeURIComponent(principal)}`, {
    headers: { authorization: `Bearer ${adminKey}` },
  });
  if (response.status === 404) return undefined;
  if (!response.ok || response.body === null) throw new Error(`The export answers ${response.status}.`);
  const anchor = anchorSchema.parse(JSON.parse(response.headers.get("x-audit-anchor") ?? "null"));
  const chain: Chain = { problem: undefined, records: 0, bytes: 0, calls: 0, ids: new Set() };
  const verdict = await verifyChain(counted(Readable.from(response.body), chain), anchor);
  if (!verdict.ok) chain.problem = `${verdict.problem} at line ${verdict.line}`;
  else if (!verdict.checked.beginning || !verdict.checked.end) chain.problem = "not complete";
  return chain;
}

async function* counted(body: Readable, chain: Chain): AsyncGenerator<string> {
  for await (const text of createInterface({
    input: body,
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    const line = parseExportLine(JSON.parse(text));
    if (line !== undefined && "record" in line) {
      const record = recordSchema.parse(line.record);
      chain.records += 1;
      if (record.kind === "repeats") chain.calls += record.count;
      if (record.kind === "attempt") {
        chain.calls += 1;
        chain.ids.add(record.correlation_id);
      }
    }
    chain.bytes += text.length;
    yield text;
  }
}
