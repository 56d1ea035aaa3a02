import type { Slot } from "./query.ts";
import type { Values } from "./match-conditions.ts";

// BM25: https://en.wikipedia.org/wiki/Okapi_BM25. A title (with brand and model) counts three times as much as a text.
const K1 = 1.2;
const B = 0.75;
const FIELDS = { title: 3, text: 1, attributes: 0.5 };
/** Share of the score that is added if all neighbours in the query are neighbours in the title. */
const NEIGHBOURS = 0.2;

/**
 * SQL for the names of all slots, one row each: `weight` as in BM25 (rare words weigh more), `products` with a name of the slot,
 * and the mean bytes of title and text. The first name of a slot has an `attribute`, its word among attributes.
 */
export function scoredNames(slots: readonly Slot[], values: Values): string {
  const rows = slots.flatMap(({ names, products }, slot) =>
    names.map(({ phrase, weight: worth }, index) => {
      const before = slots[slot - 1]?.names[0]?.phrase;
      const first = { attribute: ` a_${phrase} `, ...(before && { pair: ` ${before} ${phrase} ` }) };
      return { slot, products, worth, name: ` ${phrase} `, ...(index === 0 && first) };
    }),
  );
  const field = (name: string) => `value ->> '${name}' AS ${name}`;
  return `SELECT *, ln(1 + (max(total - products, 0) + 0.5) / (products + 0.5)) AS weight FROM (
      SELECT ${["slot", "worth", "name", "attribute", "pair"].map(field).join(", ")},
        max(1.0, words_products) AS total, max(1, title_bytes) / max(1.0, words_products) AS title_bytes,
        max(1, text_bytes) / max(1.0, words_products) AS text_bytes,
        coalesce(value ->> 'products', (SELECT products FROM word_counts WHERE word = trim(value ->> 'name')), 0) AS products
      FROM catalog_state CROSS JOIN json_each(${values.bind(JSON.stringify(rows))}) LIMIT -1) LIMIT -1`;
}

const norm = (bytes: string, mean: string) => `(${1 - B} + ${B} * (${bytes}) / ${mean})`;
const IN_TEXT = "(instr(w.detail, name) OR instr(w.head, name) OR instr(w.joined, name))";
const TEXT = `${FIELDS.text} / ${norm("octet_length(w.detail)", "text_bytes")}`;
const IN_TITLE =
  "((octet_length(w.title) - octet_length(replace(w.title, name, ' '))) / (octet_length(name) - 1) + (instr(w.brand, name) > 0))";
const TITLE = `${FIELDS.title} * ${IN_TITLE} / ${norm("octet_length(w.title) + octet_length(w.brand)", "title_bytes")}`;

/**
 * SQL for the score of the row `w` of product_words: BM25, times the share of the weight that the product satisfies, plus a part
 * for neighbours. Attributes are long, so they are searched only for words that no other field has.
 */
export function scoreOf(slots: readonly Slot[]): string {
  const met = `SELECT slot, weight, instr(w.title, pair) > 0 AS near, worth * (1 - ${K1} / (${K1} + CASE
      WHEN instr(w.title, name) OR instr(w.brand, name) THEN ${TITLE} + iif(${IN_TEXT}, ${TEXT}, 0)
      WHEN ${IN_TEXT} THEN ${TEXT}
      WHEN instr(w.rest, attribute) THEN ${FIELDS.attributes} ELSE 0 END)) AS met
    FROM names LIMIT -1`;
  // The best name of a slot counts.
  const best = slots.some(({ names }) => names.length > 1)
    ? `SELECT weight, max(near) AS near, max(met) AS met FROM (${met}) GROUP BY slot`
    : met;
  return `SELECT sum(weight * met) * sum(weight * (met > 0)) * (1 + ${NEIGHBOURS} * total(near) / max(1, count(near))) FROM (${best})`;
}
