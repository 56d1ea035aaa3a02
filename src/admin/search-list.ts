import { CALLERS_MIN, pruned, searchRow } from "../caller/audit/searches.ts";
import { DAY } from "../detection/window.ts";

/** A search with the number of callers who made it, and of those for whom it found nothing. */
export interface CountedSearch {
  words: string;
  callers: number;
  empty: number;
}

// Migration 0036 has an index on each: every caller takes equally many characters, and one for whom a search found nothing ends with `,1]`.
const CALLERS_LENGTH = "length(callers)";
const EMPTY_LENGTH = "length(callers) - length(replace(callers, ',1]', ''))";

/**
 * Candidates that are read for each search that is shown. A row's order in D1 counts callers that have not been dropped yet, so
 * that a search may lose its place once they are taken off.
 */
const CANDIDATES = 10;

/** Reads the searches of at least CALLERS_MIN callers in the last `days` days: the most frequent, and those that found nothing. */
export async function readSearches(
  db: D1Database,
  { days, now, size }: { days: number; now: number; size: number },
): Promise<{ frequent: CountedSearch[]; empty: CountedSearch[] }> {
  const from = Math.floor(now / DAY) - days + 1;
  const highest = (order: string) =>
    db
      .prepare(`SELECT * FROM searches WHERE words IS NOT NULL ORDER BY ${order} DESC, words LIMIT ?`)
      .bind(CANDIDATES * size);
  const [frequent, empty] = await db.batch([highest(CALLERS_LENGTH), highest(EMPTY_LENGTH)]);
  const most = (of: "callers" | "empty", results: unknown) =>
    searchRow
      .array()
      .parse(results)
      .flatMap((row) => {
        const { words, callers = {} } = pruned(row, from) ?? {};
        if (words === undefined || words === null) return [];
        const last = Object.values(callers);
        return [{ words, callers: last.length, empty: last.filter(([, nothing]) => nothing === 1).length }];
      })
      .filter((search) => search[of] >= CALLERS_MIN)
      .toSorted((a, b) => b[of] - a[of] || (a.words < b.words ? -1 : 1))
      .slice(0, size);
  return { frequent: most("callers", frequent?.results), empty: most("empty", empty?.results) };
}
