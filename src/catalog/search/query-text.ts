import * as z from "zod";

const LENGTH_MAX = 100;
const WORDS_MAX = 30;
/** Honest texts hardly grow: "½" becomes three characters, "™" two. A single U+FDFA becomes four words. */
const WRITTEN_OUT_MAX = 200;
const WORD = /[\p{L}\p{N}]+/gu;

/** A search's words. Their number and length are limited as a search reads them, after Unicode normalisation. */
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
