/* eslint-disable no-control-regex -- control characters are what these patterns are for */

import { SIGNATURES } from "./injection-signatures.ts";
import { plainText } from "./plain-text.ts";

/** Characters of a text that are compared with the signatures: more than any answer shows of one text. */
const SCANNED_MAX = 20_000;
/** Encoded runs that are decoded, and characters of each. Decoding more costs time and adds nothing. */
const RUNS_MAX = 8;
const RUN_MAX = 4_000;

/** Text of visible characters alone, which looks the same in every normal form. Most is, and is read three times as fast. */
const ASCII = /^[\t\n -~]*$/;

/** Hidden characters, which no reader sees. They are rare in honest text, and have good reasons there. */
const HIDDEN = [
  // Flags of regions, such as Scotland's, are a black flag followed by these tags and a cancel tag.
  ["hidden-tags", /(?<!\u{1f3f4}[\u{e0020}-\u{e007e}]{0,8})[\u{e0000}-\u{e007e}]/u],
  ["hidden-bidi", /[\u202d\u202e]/],
  ["hidden-zero-width", /(?:[a-z]{1,3}[\u200b\u2060\ufeff]+){4}[a-z]/i],
  ["terminal", /[\u001b\u009b]\[?[0-9;?]{0,16}[ -/]?[@-~]/],
] as const;

/** Letters of other scripts that look like Latin ones, each followed by the Latin one. */
const LOOKALIKES = new Map(
  Array.from("аaеeоoрpсcуyхxіiѕsјjԁdοoαaεeιiρpνvτtκk".matchAll(/(.)(.)/gu), (pair) => [pair[1], pair[2]]),
);

/**
 * Returns the families of signatures that a text matches; none for text that addresses a reader. Signatures know
 * wordings, not intentions: plain requests in honest words pass (docs/support-desk.md has the figures), so nothing may
 * rest on this alone.
 */
export function scanForInjection(text: string): string[] {
  const isAscii = ASCII.test(text);
  const found = new Set<string>();
  if (!isAscii) for (const [family, pattern] of HIDDEN) if (pattern.test(text)) found.add(family);
  const visible = (isAscii ? text : plainText(text)).slice(0, SCANNED_MAX);
  const readings = readingsOf(visible);
  for (const decoded of decodedRuns(visible)) readings.push(...readingsOf(decoded));
  for (const { family, pattern } of SIGNATURES) {
    if (readings.some((reading) => pattern.test(reading))) found.add(family);
  }
  return [...found];
}

/**
 * Returns whether any of a record's texts reads like an instruction to the model that receives it, alone or together with
 * the text beside it: a model reads a subject and its body as one.
 */
export const readsLikeInstruction = (...texts: string[]): boolean =>
  texts.some(isInstruction) || seamsOf(texts).some((seam) => scanForInjection(seam).length > 0);

/**
 * Checks every text in an answer. The texts of one record are also checked across their seams; the items of a list are
 * records of their own. Names of attributes are third-party text too, and an instruction may begin in a name and end in
 * its value.
 */
export function holdsInstruction(answer: unknown): boolean {
  const records: string[][] = [[]];
  collectTexts(answer, records, 0);
  return records.some((texts) => readsLikeInstruction(...texts));
}

/** Adds the texts of `value` to the record at `place`, and new records for the objects in its lists. */
function collectTexts(value: unknown, records: string[][], place: number, areNamesOthers = false): void {
  if (typeof value === "string") records[place]?.push(value);
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) {
      const isRecord = typeof item === "object" && item !== null;
      collectTexts(item, records, isRecord ? records.push([]) - 1 : place);
    }
    return;
  }
  for (const [name, each] of Object.entries(value)) {
    if (areNamesOthers) records[place]?.push(`${name}: ${String(each)}`);
    collectTexts(each, records, place, name === ATTRIBUTES);
  }
}
/** The one field of any answer whose property names are not this server's own. */
const ATTRIBUTES = "attributes";

/** Characters on each side of a seam: a wording that a signature knows is shorter. */
const SEAM = 140;
/** Characters after which a run of short texts is cut. It must stay below what a scan reads. */
const CHAIN_MAX = 4_000;

/** Returns the texts in their order, joined, with the middle of long ones left out. Codes between two texts are skipped. */
function seamsOf(texts: readonly string[]): string[] {
  const [first = "", ...others] = texts.filter((text) => !CODE.test(text));
  const seams: string[] = [];
  let chain = first.slice(-SEAM);
  for (const text of others) {
    chain += ` ${text.slice(0, SEAM)}`;
    if (text.length <= SEAM && chain.length < CHAIN_MAX) continue;
    seams.push(chain);
    // A short text between two others is read with both.
    chain = text.length <= SEAM ? chain.slice(-SEAM) : text.slice(-SEAM);
  }
  return others.length > 0 ? [...seams, chain] : [];
}

/** A number, a price or a code this short cannot carry an instruction. */
const CODE = /^[\w$.,-]{0,12}$/;
/** Bounds the cache of repeated texts, such as names, brands and cities, to a few megabytes. */
const KEPT = 30_000;
const KEPT_LENGTH = 300;
let kept = new Map<string, boolean>();

function isInstruction(text: string): boolean {
  if (CODE.test(text)) return false;
  if (text.length > KEPT_LENGTH) return scanForInjection(text).length > 0;
  const known = kept.get(text);
  if (known !== undefined) return known;
  const found = scanForInjection(text).length > 0;
  if (kept.size >= KEPT) kept = new Map();
  kept.set(text, found);
  return found;
}

/**
 * Returns the normalized readings of a text: with letters of other scripts as written, with look-alikes as Latin
 * letters, and with spaced-out letters joined. Equal ones appear once.
 */
function readingsOf(text: string): string[] {
  const isAscii = ASCII.test(text);
  const base = isAscii ? text : text.normalize("NFKD").replace(/\p{M}/gu, "");
  const plain = isAscii ? base.toLowerCase() : base.toLowerCase().replaceAll("’", "'");
  const latin = isAscii
    ? plain
    : plain.replace(/[\u0370-\u0556]/g, (letter) => LOOKALIKES.get(letter) ?? letter);
  const joined = latin.replace(/(?<![a-z])(?:[a-z][ .*_-]){2,}[a-z](?![a-z])/g, (run) =>
    run.replace(/[^a-z]/g, ""),
  );
  return [...new Set([plain, latin, joined])].map((reading) => reading.replace(/[^\S\n]{2,}|[^\S\n ]/g, " "));
}

/** Returns decoded runs of base64, hexadecimal or binary digits that decode to text. */
function decodedRuns(text: string): string[] {
  const base64 = take(text, /(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}/g).map((run) =>
    Buffer.from(run, "base64"),
  );
  const hex = take(text, /(?:[0-9a-f]{2}[ :]?){16,}/gi).map((run) =>
    Buffer.from(run.replace(/[^0-9a-f]/gi, ""), "hex"),
  );
  const binary = take(text, /(?:[01]{8} ?){16,}/g).map((run) =>
    Buffer.from(Array.from(run.matchAll(/[01]{8}/g), ([byte]) => Number.parseInt(byte, 2))),
  );
  return [...base64, ...hex, ...binary].map((bytes) => bytes.toString("utf8")).filter(isText);
}

const take = (text: string, pattern: RegExp): string[] =>
  text.search(pattern) < 0
    ? []
    : Array.from(text.matchAll(pattern), ([run]) => run.slice(0, RUN_MAX)).slice(0, RUNS_MAX);

/** Returns whether nine of ten characters are letters, digits, spaces or punctuation of prose. */
const isText = (text: string): boolean =>
  (text.match(/[\p{L}\p{N}\s.,:;!?'"()-]/gu)?.length ?? 0) > text.length * 0.9;
