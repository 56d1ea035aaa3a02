import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import type { Statement } from "../../database/statement.ts";
import type { Name, Query, Slot } from "./query.ts";
import { isUnspaced } from "./words.ts";

// Corrects typed words with the catalog's own vocabulary: unfinished words, ends of compounds, misspellings, and words
// written as one or as two. migrations/0019_word_counts.sql describes the tables.

/** A word in at most so many products is doubtful: another word may be meant. */
const DOUBTFUL_MAX = 1;
const COMPLETIONS_READ = 50;
const LONGER_MAX = 5;
const WEIGHTS = { typed: 1, completed: 0.8, misspelt: 0.6 };

const vocabularyRow = z.tuple([
  z.object({
    settled: z.int(),
    found: jsonText.pipe(z.array(z.tuple([z.string(), z.string(), z.int()]))),
  }),
]);

/** The words of a query, looked up in the vocabulary. */
export interface Known {
  /** False until all rows are reindexed; the vocabulary then lacks words of older rows. */
  settled: boolean;
  slots: Slot[];
}

/**
 * Looks up a query's words, neighbours joined into one word, and candidates for corrections of doubtful words. Returns one
 * row; `found` is a JSON array of [typed word, word of the catalog, products with it].
 */
export function lookUpWords({ words }: Query): Statement {
  const asked = words.map((word, index) => ({
    word,
    pair: `${word}${words[index + 1] ?? ""}`,
    forms: isWord(word) ? formsOf(word) : [],
    halves: splits(word).flat(),
  }));
  const sql = `WITH asked AS MATERIALIZED (
      SELECT value ->> 'word' AS word, value ->> 'pair' AS pair, value AS more FROM json_each(?1)),
    doubtful AS MATERIALIZED (
      SELECT word, more FROM asked WHERE json_array_length(more, '$.forms') + json_array_length(more, '$.halves') > 0
        AND coalesce((SELECT products FROM word_counts v WHERE v.word = asked.word), 0) <= ${DOUBTFUL_MAX}),
    others AS (
      SELECT word, word AS other FROM asked
      UNION SELECT word, pair FROM asked
      UNION SELECT word, half.value FROM doubtful CROSS JOIN json_each(more, '$.halves') half
      UNION SELECT doubtful.word, f.word FROM doubtful CROSS JOIN json_each(more, '$.forms') form
        CROSS JOIN word_forms f ON f.form = form.value
      UNION SELECT doubtful.word, longer.word FROM doubtful CROSS JOIN word_counts longer ON longer.word IN (
        SELECT word FROM word_counts WHERE word > doubtful.word AND word < doubtful.word || char(1114111)
        LIMIT ${COMPLETIONS_READ})
    )
    SELECT unread_from IS NULL AS settled,
      (SELECT json_group_array(json_array(others.word, v.word, v.products))
        FROM others CROSS JOIN word_counts v ON v.word = others.other WHERE v.products > 0) AS found
    FROM catalog_state`;
  return { sql, values: [JSON.stringify(asked)] };
}

/** Parses the row of lookUpWords(). A slot has 0 products if the catalog has none of its names. */
export function readKnown(query: Query, rows: unknown): Known {
  const [{ settled, found }] = vocabularyRow.parse(rows);
  const products = new Map(found.map(([, word, count]) => [word, count]));
  // A phrase counts as often as its rarest word.
  const countOf = (phrase: string) => Math.min(...phrase.split(" ").map((word) => products.get(word) ?? 0));
  const slots = query.words.map((word, index): Slot => {
    const before = query.words[index - 1];
    const after = query.words[index + 1];
    const joined = [before && `${before}${word}`, after && `${word}${after}`];
    const names = new Map<string, number>([[word, WEIGHTS.typed]]);
    for (const pair of joined) if (pair !== undefined && products.has(pair)) names.set(pair, WEIGHTS.typed);
    const isDoubtful = settled === 1 && countOf(word) <= DOUBTFUL_MAX;
    const others = found.flatMap(([typed, other]) => (typed === word ? [other] : []));
    for (const { phrase, weight } of isDoubtful ? corrections(word, others, countOf) : []) {
      if (!names.has(phrase)) names.set(phrase, weight);
    }
    return {
      names: Array.from(names, ([phrase, weight]) => ({ phrase, weight })),
      // While the vocabulary is incomplete, products may have a word that it lacks.
      products: Math.max(...Array.from(names.keys(), countOf), 1 - settled),
    };
  });
  return { settled: settled === 1, slots };
}

/** Whether a query needs no correction. */
export const isAsTyped = ({ settled, slots }: Known): boolean =>
  settled && slots.every(({ names, products }) => names.length === 1 && products !== 0);

/** Names that a doubtful word may stand for: two words, longer words, and the commonest word that it may misspell. */
function corrections(word: string, others: readonly string[], countOf: (phrase: string) => number): Name[] {
  const commonest = (phrases: readonly string[]) =>
    phrases.toSorted((a, b) => countOf(b) - countOf(a) || (a < b ? -1 : 1));
  const common = commonest(isWord(word) ? others : []);
  const apart = splits(word).map((halves) => halves.join(" "));
  // Where "ü" can't be typed, it is "ue"; the index has "u".
  const umlaut = word.replace(/([aou])e/g, "$1");
  const longer = common.filter(
    (other) => other.length > word.length && (other.startsWith(word) || other.endsWith(word)),
  );
  const forms = new Set(formsOf(word));
  // One letter is missing, added, wrong or in another place.
  const isMisspelt = (other: string) => formsOf(other).some((form) => forms.has(form));
  const meant = common.filter((other) => countOf(other) > countOf(word) && isMisspelt(other));
  const named = (phrases: readonly string[], weight: number) => phrases.map((phrase) => ({ phrase, weight }));
  return [
    ...named(commonest(apart.filter((phrase) => countOf(phrase) > 0)).slice(0, 1), WEIGHTS.typed),
    ...named(longer.slice(0, LONGER_MAX), WEIGHTS.completed),
    ...named([...meant.filter((other) => other === umlaut), ...meant].slice(0, 1), WEIGHTS.misspelt),
  ];
}

/** Whether a word may be corrected. A number or code that differs by one edit is a different thing. */
const isWord = (word: string) => /^\p{L}{3,24}$/u.test(word) || (word.length === 1 && isUnspaced.test(word));

/** The word, and the word with each of its letters left out: the forms that words one edit away share (word_forms). */
const formsOf = (word: string): string[] => [
  word,
  ...Array.from(word, (_, at) => word.slice(0, at) + word.slice(at + 1)),
];

/** All ways to split a word into two; a code, which may be a model, into letters and a number. */
function splits(word: string): string[][] {
  if (!isWord(word)) return Array.from(word.matchAll(/^(\p{L}{2,})(\d{2,})$/gu), (code) => code.slice(1));
  return Array.from({ length: Math.max(0, word.length - 3) }, (_, at) => [
    word.slice(0, at + 2),
    word.slice(at + 2),
  ]);
}
