/* eslint-disable no-control-regex -- control characters are what these patterns are for */

// Characters that a person never sees and a model or a terminal obeys: C0 and C1 controls but tab
// and newline (so ANSI sequences lose their ESC), zero-width and bidi marks, and Unicode tags,
// which can spell a hidden instruction inside a product name. Joiners that emoji and Indic scripts
// need are taken too: the text stays readable without them. So are letters without a shape, which fill a
// name with nothing, and variation selectors, of which a run spells any bytes.
const INVISIBLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]|[\u034f]|[\u180b-\u180f]|[\ufe00-\ufe0f]/gu;
const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/** Text without invisible characters and terminal sequences, in Unicode normal form C. */
export function plainText(text: string): string {
  return text.replace(ANSI, "").replace(INVISIBLE, "").normalize("NFC");
}

/** The same on one line: a line break in a name could otherwise begin a line that looks like ours. */
export function plainLine(text: string): string {
  return plainText(text.replace(/[\s\u2028\u2029]+/g, " ")).trim();
}

/** At most `max` UTF-16 units, an ellipsis included, never half a surrogate pair. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
