import fc from "fast-check";

/**
 * Any character of Unicode, for `fc.string({ unit: anyCharacter })`. fast-check's own unit "binary" first builds a map of them
 * all, which takes seconds.
 */
export const anyCharacter = fc
  .nat({ max: 0x10_f7_ff })
  // Leaves out the halves of surrogate pairs, which are no characters.
  .map((index) => String.fromCodePoint(index < 0xd8_00 ? index : index + 0x8_00));
