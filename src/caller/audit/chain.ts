import * as crypto from "node:crypto";
import * as z from "zod";

// The audit's hash chain: every link is the SHA-256 of the previous link and a record's exact text, so changing, dropping,
// moving or inserting a record changes every later link. The chain alone can't show that its end was cut off or that all of
// it was rewritten; for that D1 keeps an anchor, a link that the chain must contain.

/** The end of a chain: its last record's number and link. */
export interface Head {
  seq: number;
  hash: string;
}

/** Returns a chain's first link. It depends on principal and start, so no chain passes for another. */
export function genesis(principal: string, startedAt: number): Head {
  return { seq: 0, hash: sha256(`product-catalog-mcp audit 1\n${startedAt}\n${principal}`) };
}

/** Returns the link of a record's text after `head`. */
export const link = (head: Head, text: string): string => sha256(`${head.hash}\n${text}`);

const sha256 = (text: string): string => crypto.hash("sha256", text, "hex");

export const headSchema = z.strictObject({ seq: z.int().min(0), hash: z.string().regex(/^[0-9a-f]{64}$/) });

/** The first line of an exported chain. */
export const headerSchema = z.strictObject({
  audit: z.literal(1),
  principal: z.string(),
  started_at: z.int(),
  /** The last record that retention has pruned; the export starts with the record after it. */
  checkpoint: headSchema.nullable(),
});
export type Header = z.output<typeof headerSchema>;

/** The anchor of one principal's chain, as D1 keeps it. */
export const anchorSchema = z.object({
  principal: z.string(),
  started_at: z.int(),
  seq: z.int(),
  hash: z.string(),
  checkpoint_seq: z.int(),
  checkpoint_hash: z.string(),
  anchored_at: z.int(),
});
export type Anchor = z.output<typeof anchorSchema>;

/** Returns a line of an exported chain: the record's hashed text and its link. */
export const exportLine = (text: string, hash: string): string => `{"record":${text},"hash":"${hash}"}`;

const lineSchema = z.strictObject({
  record: z.looseObject({ seq: z.int() }),
  hash: z.string(),
});

/** Parses one line of an export; undefined if it is not one. verifyChain says whether the line is genuine. */
export function parseExportLine(line: unknown): { principal: string } | { record: unknown } | undefined {
  return headerSchema.safeParse(line).data ?? lineSchema.safeParse(line).data;
}

export type Verdict =
  | { ok: true; head: Head; records: number; checked: { end: boolean; beginning: boolean } }
  | { ok: false; line: number; problem: Problem }
  | { ok: false; line: number; problem: Inconclusive };

/** No verdict: the anchored record has been pruned since. */
export const PRUNED_PAST = "pruned_past_anchor";
/** No verdict: the file is empty, or the last line is incomplete, as in an interrupted download. */
export const EMPTY = "empty";
export const BROKEN_OFF = "broken_off";
/** Reasons why a chain can be neither confirmed nor rejected. */
export type Inconclusive = typeof PRUNED_PAST | typeof EMPTY | typeof BROKEN_OFF;

/** The beginning of every line of an export. */
const BEGUN = /^\{("|$)/;
const INCONCLUSIVE: ReadonlySet<string> = new Set([PRUNED_PAST, EMPTY, BROKEN_OFF]);
export const isInconclusive = (problem: Problem | Inconclusive): problem is Inconclusive =>
  INCONCLUSIVE.has(problem);

export type Problem =
  | "no_header"
  | "not_a_record"
  | "out_of_order"
  | "altered"
  | "other_principal"
  | "shorter_than_anchor"
  | "not_the_anchored_chain"
  | "not_the_anchored_beginning";

/**
 * Checks an exported chain line by line; `lines` come in order, without line ends. With the anchor from D1 it also finds a
 * cut-off end, a cut-off beginning and a rewritten chain. `earlier` means that the anchor is older than the export, so
 * retention may have pruned since: if the chain begins later, only the anchored link is checked.
 */
export async function verifyChain(
  lines: AsyncIterable<string> | Iterable<string>,
  anchor: Anchor | undefined,
  { earlier = false }: { earlier?: boolean } = {},
): Promise<Verdict> {
  let header: Header | undefined;
  let head: Head = { seq: 0, hash: "" };
  let line = 0;
  let meetsAnchor = false;
  let isPruned = false;
  let brokenAt: number | undefined;
  const fail = (problem: Problem | Inconclusive): Verdict =>
    isInconclusive(problem) ? { ok: false, line, problem } : { ok: false, line, problem };
  const meet = () => {
    if (anchor?.seq === head.seq && anchor.hash === head.hash) meetsAnchor = true;
  };
  for await (const text of lines) {
    line += 1;
    // Only the last line may be incomplete.
    if (brokenAt !== undefined) return { ok: false, line: brokenAt, problem: "not_a_record" };
    if (BEGUN.test(text) && parseJson(text) === undefined) {
      brokenAt = line;
      continue;
    }
    if (header === undefined) {
      const parsed = headerSchema.safeParse(parseJson(text));
      // Compares the text too, here and below: if a JSON name occurs twice, two readers may see two values.
      if (!parsed.success || text !== JSON.stringify(parsed.data)) return fail("no_header");
      header = parsed.data;
      if (anchor !== undefined && anchor.principal !== header.principal) return fail("other_principal");
      if (anchor !== undefined && anchor.started_at !== header.started_at)
        return fail("not_the_anchored_chain");
      head = header.checkpoint ?? genesis(header.principal, header.started_at);
      const beginning = { seq: anchor?.checkpoint_seq, hash: anchor?.checkpoint_hash };
      isPruned = earlier && anchor !== undefined && head.seq > anchor.checkpoint_seq;
      if (anchor !== undefined && !isPruned && (head.seq !== beginning.seq || head.hash !== beginning.hash))
        return fail("not_the_anchored_beginning");
      meet();
      continue;
    }
    const parsed = lineSchema.safeParse(parseJson(text));
    if (!parsed.success) return fail("not_a_record");
    const { record, hash } = parsed.data;
    const recordText = JSON.stringify(record);
    if (text !== exportLine(recordText, hash)) return fail("altered");
    if (record.seq !== head.seq + 1) return fail("out_of_order");
    if (hash !== link(head, recordText)) return fail("altered");
    head = { seq: record.seq, hash };
    meet();
  }
  if (brokenAt !== undefined) return fail(BROKEN_OFF);
  if (header === undefined) return fail(EMPTY);
  if (anchor !== undefined && head.seq < anchor.seq) return fail("shorter_than_anchor");
  if (isPruned && anchor !== undefined && (header.checkpoint?.seq ?? 0) > anchor.seq)
    return { ok: false, line: 1, problem: PRUNED_PAST };
  if (anchor !== undefined && !meetsAnchor) return fail("not_the_anchored_chain");
  // Links are not secret: after its anchor, anybody can add to a chain or cut from it.
  const checked = { end: anchor?.seq === head.seq, beginning: anchor !== undefined && !isPruned };
  return { ok: true, head, records: line - 1, checked };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
