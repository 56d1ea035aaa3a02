// Checks whether an exported audit was changed, without a server.

import { type FileHandle, open } from "node:fs/promises";
import { createInterface } from "node:readline";
import * as z from "zod";
import {
  type Anchor,
  type Inconclusive,
  type Problem,
  type Verdict,
  anchorSchema,
  isInconclusive,
  verifyChain,
} from "../../src/caller/audit/chain.ts";
import { plural } from "../../src/web/admin/units.ts";
import { parseJsonAs, readText, whyUnreadable } from "../read-file.ts";

const PROBLEM_WORDS: Record<Problem | Inconclusive, string> = {
  no_header: "the file does not begin with the header of an export",
  not_a_record: "this line is not an audit record",
  out_of_order: "a record is missing, moved or there twice",
  altered: "this record, or its link to the one before, was changed",
  other_principal: "the anchor belongs to another principal",
  shorter_than_anchor: "the end was cut off: the anchor knows of later records",
  not_the_anchored_chain: "this is not the chain that was anchored",
  not_the_anchored_beginning: "this does not begin where the anchored chain begins",
  empty: "the file is empty",
  broken_off: "the file ends in the middle of this line, like an interrupted download. Export it again",
  pruned_past_anchor: "every record that the anchor covers has been pruned since. Use a later anchor",
};

/** The file beside an export that holds its anchor. */
export const anchorFile = (file: string): string => `${file}.anchor.json`;
const headerSchema = z.object({ principal: z.string() });
const anchorsSchema = z.union([anchorSchema.transform((one) => [one]), z.array(anchorSchema)]);

/**
 * Verifies an exported chain, `-` for standard input, and prints what was found. Returns the exit code: 0 unchanged
 * and complete, 1 changed, 2 undecided. Throws an Error that names the file which can't be read.
 */
export async function verifyExport(
  file: string,
  { anchor: given, json = false }: { anchor?: string; json?: boolean },
): Promise<number> {
  const anchor = await readAnchor(file, given);
  // The input is opened last, because a readline interface drops lines that arrive before somebody reads
  // them.
  const input = file === "-" ? process.stdin : (await openFile(file)).createReadStream();
  // An anchor beside the file was written with it, so nothing was pruned between the two.
  const earlier = given !== undefined;
  const verdict = await verifyChain(createInterface({ input, crlfDelay: Infinity }), anchor, { earlier });
  const anchored = anchor === undefined ? null : new Date(anchor.anchored_at).toISOString();
  if (json) console.log(JSON.stringify({ ...verdict, anchored_at: anchored }));
  else if (!verdict.ok)
    console.error(
      verdict.line === 0
        ? `The file cannot be checked: ${PROBLEM_WORDS[verdict.problem]}.`
        : `Line ${verdict.line}: ${PROBLEM_WORDS[verdict.problem]}.`,
    );
  else if (anchored === null)
    console.log(
      `${plural(verdict.records, "record")}, unchanged. Without an anchor, missing records at either end go unnoticed. Give one with --anchor.`,
    );
  else if (verdict.checked.beginning)
    console.log(
      `${plural(verdict.records, "record")}, unchanged and complete up to the anchor of ${anchored}.`,
    );
  else
    console.log(
      `${plural(verdict.records, "record")}, unchanged, and part of the chain that was anchored at ${anchored}. It begins later than it did then, because retention prunes old records. This anchor cannot show whether more are missing there; use a later one.`,
    );
  return exitCodeOf(verdict);
}

/** 2 is also the code of any other error. */
function exitCodeOf(verdict: Verdict): number {
  if (verdict.ok) return verdict.checked.beginning ? 0 : 2;
  return isInconclusive(verdict.problem) ? 2 : 1;
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    return await open(file);
  } catch (error) {
    throw new Error(whyUnreadable(file, error), { cause: error });
  }
}

async function readAnchor(file: string, given: string | undefined): Promise<Anchor | undefined> {
  const name = given ?? anchorFile(file);
  const text = await readText(name).catch((error: unknown) => {
    if (given !== undefined) throw error;
    return undefined;
  });
  if (text === undefined) return undefined;
  const parsed = parseJsonAs(anchorsSchema, text, name, "an anchor, or a list of them");
  if (parsed.length === 1) return parsed[0];
  // If the list has many callers, the file's own header names the right one.
  for await (const header of createInterface({ input: (await openFile(file)).createReadStream() })) {
    const { principal } = parseJsonAs(headerSchema, header, `${file}, line 1`, "the header of an export");
    const found = parsed.find((anchor) => anchor.principal === principal);
    if (found === undefined) throw new Error(`${given} has no anchor for ${principal}.`);
    return found;
  }
  return undefined;
}
