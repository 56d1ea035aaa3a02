// For texts written elsewhere, such as error messages. They may quote anything, so whatever looks like personal data or
// a secret is cut out.
const PATTERNS: readonly [pattern: RegExp, instead: string][] = [
  [/pcm_[\w-]{8,}/g, "[key]"],
  [/whsec_[\w+/=-]{8,}/g, "[key]"],
  [/\b(bearer|basic)\s+[\w.~+/:=-]{8,}/gi, "$1 [token]"],
  [/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g, "[email]"],
  // UUIDs correlate lines, so they stay. Any other run this long is a token or a digest.
  [/(?<![\w/.-])(?![\da-f]{8}-[\da-f]{4}-)[\w+:=-]{32,}(?![\w/.-])/gi, "[token]"],
  [/(?<![\w.:-])\+?\d(?:[ ().-]{0,2}\d){8,14}(?![\w.:-])/g, "[number]"],
];

export const scrub = (text: string): string =>
  PATTERNS.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text);
