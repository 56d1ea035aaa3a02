// Texts that nobody here has written: messages of errors. What they quote can't be known, so what looks like
// personal data or a secret is cut out.
const PATTERNS: readonly [pattern: RegExp, instead: string][] = [
  [/pcm_[\w-]{8,}/g, "[key]"],
  [/whsec_[\w+/=-]{8,}/g, "[key]"],
  [/\b(bearer|basic)\s+[\w.~+/:=-]{8,}/gi, "$1 [token]"],
  [/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g, "[email]"],
  // UUIDs are what correlates lines; a run this long that is none is a token or a digest.
  [/(?<![\w/.-])(?![\da-f]{8}-[\da-f]{4}-)[\w+:=-]{32,}(?![\w/.-])/gi, "[token]"],
  [/(?<![\w.:-])\+?\d(?:[ ().-]{0,2}\d){8,14}(?![\w.:-])/g, "[number]"],
];

export const scrub = (text: string): string =>
  PATTERNS.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text);
