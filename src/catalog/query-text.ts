import * as z from "zod";

const LENGTH_MAX = 100;
const WORDS_MAX = 30;
/** Ordinary text hardly grows under NFKC ("½" becomes three characters, "™" two), but U+FDFA becomes four words. */
const WRITTEN_OUT_MAX = 200;
const WORD = /[\p{L}\p{N}]+/gu;

/** The text of a search. Words and length are counted after Unicode normalisation, because the search reads that form. */
export const queryText = z
  .string()
  .trim()
  .min(1)
  .max(LENGTH_MAX, { abort: true })
  .refine((text) => text.normalize("NFKC").length <= WRITTEN_OUT_MAX, {
    abort: true,
    message: `must not be longer than ${WRITTEN_OUT_MAX} characters after Unicode normalisation (NFKC)`,
  })
  .refine((text) => (text.normalize("NFKC").match(WORD) ?? []).length <= WORDS_MAX, {
    message: `must not have more than ${WORDS_MAX} words`,
  });
