/* eslint-disable no-control-regex -- control characters are what these patterns are for */

// Characters that people do not see and that models or terminals obey: C0 and C1 controls except tab and newline (so
// ANSI sequences lose their ESC), zero-width and bidi marks, and Unicode tags, which can spell a hidden instruction
// inside a product name. Joiners for emoji and Indic scripts are removed too, because the text stays readable without
// them. So are blank letters, which make a name look empty, and variation selectors, which can encode any bytes.
const INVISIBLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]|[\u034f]|[\u180b-\u180f]|[\ufe00-\ufe0f]/gu;
const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/** Returns text without invisible characters and terminal sequences, in Unicode normal form C. */
export function plainText(text: string): string {
  return text.replace(ANSI, "").replace(INVISIBLE, "").normalize("NFC");
}

/** Does the same and joins lines, because a line break in a name could start a line that looks like ours. */
export function plainLine(text: string): string {
  return plainText(text.replace(/[\s\u2028\u2029]+/g, " ")).trim();
}

/** Cuts text to at most `max` UTF-16 units, ellipsis included, without splitting a surrogate pair. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
