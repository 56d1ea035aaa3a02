import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import { SHARED } from "../../detection/event.ts";
import { tokenOf } from "../../detection/tokens.ts";
import { DAY } from "../../detection/window.ts";
import type { AnsweredCall } from "./answered-calls.ts";
import { type SearchText, searchTextOf } from "./search-text.ts";

// The table `searches` counts the distinct callers of each search. It is written when a caller's chain is anchored, after the answers.
// D1 has the words of a search only once three callers have searched for them; until then it has a token under the server's key. A
// caller is a token that differs from search to search, so that nobody can list what one caller searched for.

/** Callers that a search needs before its words are kept and shown. */
export const CALLERS_MIN = 3;
/** Callers that are counted of one search. */
export const CALLERS_MAX = 100;
/** Rows of the table: a search whose row another one has is not counted. */
const SLOTS = 2 ** 16;
/** Different searches that one anchor folds. Anchors of a caller are a minute apart. */
const FOLDED_MAX = 20;
const DROPPED_MAX = 50;

const TOOLS: ReadonlySet<string> = new Set(["search_products", "ucp:search_catalog"]);
/** Arguments beside which an answer without products means that the catalog has none for these words. */
const UNFILTERED: ReadonlySet<string> = new Set(["query", "sort", "limit", "version", "profile", "currency"]);

const argumentsSchema = jsonText.pipe(z.looseObject({ query: z.string() }));

/** A search by a caller. */
export interface Search extends SearchText {
  /** When the answer was given, in milliseconds since the epoch. */
  at: number;
  /** Whether the catalog has nothing for these words. */
  isEmpty: boolean;
}

/** Returns the search that a call made; undefined if it made none that may be counted. */
export function searchOf({ attempt, outcome }: AnsweredCall): Search | undefined {
  if (!TOOLS.has(attempt.name) || attempt.roles.includes(SHARED)) return undefined;
  const { data } = argumentsSchema.safeParse(attempt.arguments);
  const text = data === undefined ? undefined : searchTextOf(data.query);
  if (data === undefined || text === undefined) return undefined;
  const isUnfiltered = Object.keys(data).every((name) => UNFILTERED.has(name));
  return { ...text, at: outcome.at, isEmpty: isUnfiltered && outcome.records === 0 };
}

/** A caller's last day, and 1 if the search then found nothing. */
const callersSchema = z.record(z.string(), z.tuple([z.int(), z.union([z.literal(0), z.literal(1)])]));

export const searchRow = z.object({
  slot: z.int(),
  search: z.string(),
  callers: jsonText.pipe(callersSchema),
  words: z.string().nullable(),
  oldest: z.int(),
});
export type SearchRow = z.output<typeof searchRow>;

/** Drops callers before a day, and the words if too few are left. Returns undefined if none is left. */
export function pruned(row: SearchRow, from: number): SearchRow | undefined {
  const callers = Object.entries(row.callers).filter(([, [day]]) => day >= from);
  if (callers.length === 0) return undefined;
  return {
    ...row,
    callers: Object.fromEntries(callers),
    words: callers.length < CALLERS_MIN ? null : row.words,
    oldest: Math.min(...callers.map(([, [day]]) => day)),
  };
}

/** Adds a caller's search to the row of its slot. Returns undefined if the row stays as it is. */
export function withSearch(
  row: SearchRow | undefined,
  { slot, search, caller, from }: { slot: number; search: string; caller: string; from: number },
  { shown, at, isEmpty }: Search,
): SearchRow | undefined {
  const day = Math.floor(at / DAY);
  if (day < from) return undefined;
  const present = row === undefined ? undefined : pruned(row, from);
  if (present !== undefined && present.search !== search) {
    // A search of one caller makes room for another's, but only once a day: a flood of searches must not write more.
    const days = Object.values(present.callers).map(([last]) => last);
    if (days.length > 1 || days.some((last) => last >= day)) return undefined;
  }
  const callers = present?.search === search ? present.callers : {};
  const known = callers[caller];
  const found = isEmpty ? 1 : 0;
  if (known !== undefined && (known[0] > day || (known[0] === day && known[1] === found))) return undefined;
  if (known === undefined && Object.keys(callers).length >= CALLERS_MAX) return undefined;
  const all = { ...callers, [caller]: [day, found] satisfies [number, 0 | 1] };
  return {
    slot,
    search,
    callers: all,
    words: Object.keys(all).length < CALLERS_MIN ? null : (present?.words ?? shown),
    oldest: Math.min(...Object.values(all).map(([last]) => last)),
  };
}

/** Counts a caller's searches, the latest FOLDED_MAX of them. Counting one again changes nothing. */
export async function foldSearches(
  db: D1Database,
  { principal, key, days, now }: { principal: string; key: string; days: number; now: number },
  searches: readonly Search[],
): Promise<void> {
  if (days === 0) return;
  const from = Math.floor(now / DAY) - days + 1;
  const wanted = new Map<number, { at: Parameters<typeof withSearch>[1]; search: Search }>();
  // The latest first, because after an object woke up they are preceded by some that were counted.
  for (const search of searches.toReversed()) {
    const token = tokenOf("search", search.key, key);
    const slot = Buffer.from(token, "base64url").readUInt16BE() % SLOTS;
    const caller = tokenOf("searcher", `${token} ${principal}`, key);
    if (!wanted.has(slot)) wanted.set(slot, { at: { slot, search: token, caller, from }, search });
    if (wanted.size >= FOLDED_MAX) break;
  }
  if (wanted.size === 0) return;
  const { results } = await db
    .prepare("SELECT * FROM searches WHERE slot IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify([...wanted.keys()]))
    .all();
  const rows = new Map(
    searchRow
      .array()
      .parse(results)
      .map((row) => [row.slot, row]),
  );
  const changed = [...wanted.values()].flatMap(
    ({ at, search }) => withSearch(rows.get(at.slot), at, search) ?? [],
  );
  // Two callers who write one row at the same time: one of them is not counted.
  if (changed.length > 0) await writeRows(db, changed).run();
}

const writeRows = (db: D1Database, rows: readonly SearchRow[]): D1PreparedStatement =>
  db
    .prepare(
      `INSERT OR REPLACE INTO searches (slot, search, callers, words, oldest)
       SELECT value ->> 'slot', value ->> 'search', value -> 'callers', value ->> 'words', value ->> 'oldest' FROM json_each(?)`,
    )
    .bind(JSON.stringify(rows));

/** Drops callers, of some searches, before a day: every day counts callers of the last `days` days. */
export async function dropSearches(db: D1Database, days: number, now: number): Promise<void> {
  const from = Math.floor(now / DAY) - days + 1;
  const { results } = await db
    .prepare(`SELECT * FROM searches WHERE oldest < ? ORDER BY oldest LIMIT ${DROPPED_MAX}`)
    .bind(from)
    .all();
  if (results.length === 0) return;
  const rows = searchRow.array().parse(results);
  const kept = rows.flatMap((row) => pruned(row, from) ?? []);
  const gone = rows.filter(({ slot }) => !kept.some((row) => row.slot === slot)).map(({ slot }) => slot);
  await db.batch([
    writeRows(db, kept),
    db
      .prepare("DELETE FROM searches WHERE slot IN (SELECT value FROM json_each(?)) AND oldest < ?")
      .bind(JSON.stringify(gone), from),
  ]);
}
