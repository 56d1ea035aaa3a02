// Plain FTS5 as a baseline: the five texts of a product in one FTS5 table with the porter stemmer, every word
// optional, bm25() over all matches.

const COLUMNS = "name, model, brand, category, description";

/** Statements that make the table over a filled catalog. */
export const NAIVE_TABLE: readonly string[] = [
  `CREATE VIRTUAL TABLE naive_search USING fts5 (${COLUMNS}, tokenize = 'porter unicode61')`,
  `INSERT INTO naive_search (rowid, ${COLUMNS})
    SELECT p.id, p.name, p.model, p.brand, c.name, p.description
    FROM products p JOIN categories c ON c.id = p.category_id`,
];

/** The end of a query over `naive_search f` and `products p`; its one parameter comes from `naiveMatch`. */
export const NAIVE_PAGE = `WHERE naive_search MATCH ? AND p.id = f.rowid
  ORDER BY bm25(naive_search, 10, 5, 5, 2, 1) LIMIT 10`;

export const naiveMatch = (query: string): string =>
  query
    .split(/\s+/)
    .map((word) => `"${word.replaceAll('"', '""')}"`)
    .join(" OR ");
