import * as crypto from "node:crypto";
import * as z from "zod";

// The audit's hash chain: every link is the SHA-256 of the link before it and of a record's exact
// text, so a record can't be changed, dropped, moved or brought in from elsewhere without every later
// link changing. What the chain alone can't show is that its end was cut off, or that all of it was made
// anew: for that D1 keeps an anchor, a link that the chain must hold.

/** Where a chain stands: its last record's number, and that record's link. */
export interface Head {
  seq: number;
  hash: string;
}

/** What a chain begins from: of one principal, since one moment, so that no chain passes for another. */
export function genesis(principal: string, startedAt: number): Head {
  return { seq: 0, hash: sha256(`product-catalog-mcp audit 1\n${startedAt}\n${principal}`) };
}

/** The link of a record's text behind a head. */
export const link = (head: Head, text: string): string => sha256(`${head.hash}\n${text}`);

const sha256 = (text: string): string => crypto.hash("sha256", text, "hex");

export const headSchema = z.strictObject({ seq: z.int().min(0), hash: z.string().regex(/^[0-9a-f]{64}$/) });

/** The first line of an exported chain. */
export const headerSchema = z.strictObject({
  audit: z.literal(1),
  principal: z.string(),
  started_at: z.int(),
  /** The last record that retention has pruned; the first line's record is the one behind it. */
  checkpoint: headSchema.nullable(),
});
export type Header = z.output<typeof headerSchema>;

/** What D1 keeps of one principal's chain. */
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

/** A line of an exported chain: the record as it was hashed, and its link. */
export const exportLine = (text: string, hash: string): string => `{"record":${text},"hash":"${hash}"}`;

const lineSchema = z.strictObject({
  record: z.looseObject({ seq: z.int() }),
  hash: z.string(),
});

/** What one line of an export says; undefined where it is none. Whether it is true, verifyChain says. */
export function parseExportLine(line: unknown): { principal: string } | { record: unknown } | undefined {
  return headerSchema.safeParse(line).data ?? lineSchema.safeParse(line).data;
}

export type Verdict =
  | { ok: true; head: Head; records: number; checked: { end: boolean; beginning: boolean } }
  | { ok: false; line: number; problem: Problem }
  | { ok: false; line: number; problem: Untold };

/** No sign of tampering, and none against it: the record that the anchor is of was pruned since. */
export const PRUNED_PAST = "pruned_past_anchor";
/** Likewise: there is nothing to check, or the last line stops in its middle, as that of a broken download does. */
export const EMPTY = "empty";
export const BROKEN_OFF = "broken_off";
/** Why it can't be told whether a chain is sound. */
export type Untold = typeof PRUNED_PAST | typeof EMPTY | typeof BROKEN_OFF;

/** How every line of an export begins. */
const BEGUN = /^\{("|$)/;
const UNTOLD: ReadonlySet<string> = new Set([PRUNED_PAST, EMPTY, BROKEN_OFF]);
export const isUntold = (problem: Problem | Untold): problem is Untold => UNTOLD.has(problem);

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
 * Checks an exported chain line by line, `lines` in order and without line ends. With the anchor that D1
 * keeps, a cut-off end, a cut-off beginning and a chain made anew are found too. An `earlier` anchor is one from before the
 * export, since when retention may have pruned: where the chain begins later, only that it holds the anchored link is checked.
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
  const fail = (problem: Problem | Untold): Verdict =>
    isUntold(problem) ? { ok: false, line, problem } : { ok: false, line, problem };
  const meet = () => {
    if (anchor?.seq === head.seq && anchor.hash === head.hash) meetsAnchor = true;
  };
  for await (const text of lines) {
    line += 1;
    // Only of the last line can it be that the rest of it is missing.
    if (brokenAt !== undefined) return { ok: false, line: brokenAt, problem: "not_a_record" };
    if (BEGUN.test(text) && parseJson(text) === undefined) {
      brokenAt = line;
      continue;
    }
    if (header === undefined) {
      const parsed = headerSchema.safeParse(parseJson(text));
      // The text too, here and below: of a name that stands twice, two readers may see two values.
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
  // Links are no secret: behind its anchor anybody can add to a chain, or cut from it.
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
