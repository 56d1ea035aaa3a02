import { CALLERS_MIN, pruned, searchRow } from "../caller/audit/searches.ts";
import { DAY } from "../detection/window.ts";

/** A search with the number of callers who made it, and of those for whom it found nothing. */
export interface CountedSearch {
  words: string;
  callers: number;
  empty: number;
}

/** Reads the searches of at least CALLERS_MIN callers in the last `days` days: the most frequent, and those that found nothing. */
export async function readSearches(
  db: D1Database,
  { days, now, size }: { days: number; now: number; size: number },
): Promise<{ frequent: CountedSearch[]; empty: CountedSearch[] }> {
  const from = Math.floor(now / DAY) - days + 1;
  const { results } = await db.prepare("SELECT * FROM searches WHERE words IS NOT NULL").all();
  const counted = searchRow
    .array()
    .parse(results)
    .flatMap((row) => {
      const { words, callers = {} } = pruned(row, from) ?? {};
      if (words === undefined || words === null) return [];
      const last = Object.values(callers);
      return [{ words, callers: last.length, empty: last.filter(([, nothing]) => nothing === 1).length }];
    });
  const most = (of: "callers" | "empty") =>
    counted
      .filter((search) => search[of] >= CALLERS_MIN)
      .toSorted((a, b) => b[of] - a[of] || (a.words < b.words ? -1 : 1))
      .slice(0, size);
  return { frequent: most("callers"), empty: most("empty") };
}
