import * as z from "zod";
import type { Statement } from "../../database/statement.ts";
import type { Position } from "../cursor.ts";
import type { Filters } from "./facets.ts";
import {
  type Query,
  type Slot,
  matchAll,
  matchAny,
  matchHead,
  matchShown,
  matchSlot,
  readQuery,
  withCompletions,
  withCorrection,
} from "./query.ts";
import { WEIGHTS, rank } from "./ranking.ts";
import {
  COMMON,
  type ColumnSort,
  KEEP,
  SORTED_MAX,
  commonCandidates,
  countMatches,
  countProducts,
  findAlike,
  findCompletions,
  findExact,
  rareCandidates,
  sortedPage,
} from "./statements.ts";
import { THIN, corrections, matchAlike } from "./typo.ts";

export const sortSchema = z.enum(["relevance", "price_asc", "price_desc", "name"]);

export interface SearchRequest extends Filters {
  query: string;
  sort: z.output<typeof sortSchema>;
  limit: number;
  after?: Position | undefined;
}

export interface Found {
  /** In order. */
  ids: number[];
  /** Where the page ended, where there is more. */
  next?: Position;
  /** True where there were more matches than this way of searching takes in. */
  cut: boolean;
}

/** Runs statements as one round trip; gives the rows of each. */
type Run = (statements: Statement[]) => Promise<unknown[][]>;

const exactRows = z.array(z.object({ id: z.int(), sku: z.string() }));
const countRows = z.array(z.object({ matches: z.int() })).transform((rows) => rows.map((row) => row.matches));
const totalRows = z.tuple([z.object({ active_products: z.int() })]);
const wordRows = z.array(z.object({ word: z.string() }));
const candidateRows = z.array(
  z.object({
    id: z.int(),
    sku: z.string(),
    head: z.string(),
    title: z.string(),
    brand: z.string(),
    detail: z.string(),
    joined: z.string(),
    in_rest: z.number(),
    discontinued: z.number(),
  }),
);
const sortedRows = z.array(
  z.object({ id: z.int(), sku: z.string(), sort_key: z.union([z.string(), z.number()]), walked: z.int() }),
);

/** What an evaluation varies (cli/eval-ablation.ts). */
export interface Tuning {
  read: (text: string) => Query;
  weights: typeof WEIGHTS;
  /** Matches above which a word counts as common. */
  common: number;
}
const TUNED: Tuning = { read: readQuery, weights: WEIGHTS, common: COMMON };

/** Finds products. Two round trips, three where a word may be misspelt. */
export async function search(run: Run, request: SearchRequest, tuning = TUNED): Promise<Found> {
  const typed = tuning.read(request.query);
  const [exact = [], counts = [], total = []] = await run([
    findExact(typed, request),
    countMatches(typed.slots.map(matchSlot)),
    countProducts,
  ]);
  const survey: Survey = { query: typed, matches: countRows.parse(counts) };
  const exactHits = exactRows.parse(exact);
  const { query, matches } = exactHits.length > 0 ? survey : await forgive(run, survey);
  if (request.sort !== "relevance") return sorted(run, query, request, request.sort);

  const [{ active_products }] = totalRows.parse(total);
  const found = await run(candidateStatements(query, matches, request, tuning.common));
  const candidates = new Map(candidateRows.parse(found.flat()).map((row) => [row.id, row]));
  for (const { id } of exactHits) candidates.delete(id);
  const entries = [
    ...exactHits,
    ...rank(query, matches, active_products, [...candidates.values()], tuning.weights).map(
      ({ candidate: { id, sku } }) => ({ id, sku }),
    ),
  ];
  return page(
    entries,
    request,
    found.some((rows) => rows.length === KEEP),
  );
}

type Entry = z.output<typeof exactRows>[number];

function page(entries: Entry[], { limit, after }: SearchRequest, cut: boolean): Found {
  const start = after === undefined ? 0 : startAfter(entries, after);
  const shown = entries.slice(start, start + limit);
  const last = shown.at(-1);
  const end = start + shown.length;
  const more = end < entries.length;
  return {
    ids: shown.map(({ id }) => id),
    ...(more && last && { next: [end, last.sku] satisfies Position }),
    cut: cut && !more,
  };
}

/** Behind the last one shown; where that has left the catalog, the others have moved up by one. */
function startAfter(entries: Entry[], [end, sku]: Position): number {
  const at = entries.findIndex((entry) => entry.sku === sku);
  return at >= 0 ? at + 1 : Math.max(0, Number(end) - 1);
}

interface Survey {
  query: Query;
  /** Products that meet each slot, counted no further than COMMON + 1. */
  matches: number[];
}

/** Where a word finds next to nothing, it may be unfinished (the last one) or misspelt. */
async function forgive(run: Run, { query, matches }: Survey): Promise<Survey> {
  const isThin = (index: number) => (matches[index] ?? 0) < THIN;
  if (!query.slots.some((_, index) => isThin(index))) return { query, matches };
  const slots = await Promise.all(
    query.slots.map(async (slot, index) => {
      const word = slot[0].phrase;
      if (!isThin(index) || !/^\p{L}{3,}$/u.test(word)) return slot;
      return suggest(run, slot, index === query.slots.length - 1, matches[index] === 0);
    }),
  );
  const [counts = []] = await run([countMatches(slots.map(matchSlot))]);
  return { query: { ...query, slots }, matches: countRows.parse(counts) };
}

async function suggest(run: Run, slot: Slot, last: boolean, unknown: boolean): Promise<Slot> {
  const word = slot[0].phrase;
  const [completions = [], alike = []] = await run([findCompletions(word), findAlike(matchAlike(word))]);
  const wordsOf = (rows: unknown) => wordRows.parse(rows).map((row) => row.word);
  const finished = last ? withCompletions(slot, wordsOf(completions)) : slot;
  const [meant] = unknown ? corrections(word, wordsOf(alike)) : [];
  return meant === undefined ? finished : withCorrection(finished, meant, last);
}

/**
 * Which products to score. While all words together match few, everything that matches any of them.
 * Where a word is common, its matches are walked from the best on, the strictest reading first, and
 * bm25() is asked about the rare words alone.
 */
function candidateStatements(
  query: Query,
  matches: readonly number[],
  filters: Filters,
  common: number,
): Statement[] {
  const { slots } = query;
  const wanted = slots.at(-1);
  if (wanted === undefined) return [];
  const all = matchAll(slots);
  const isWanted = `${matchHead(wanted)} AND ${all}`;
  const matched = matches.reduce((sum, count) => sum + count, 0);
  if (matched <= common) {
    return [rareCandidates(query, isWanted, filters), rareCandidates(query, matchAny(slots), filters)];
  }
  let budget = common;
  const rare = slots.filter((_, index) => {
    const count = matches[index] ?? 0;
    if (count > budget) return false;
    budget -= count;
    return true;
  });
  const shown = slots.map(matchShown).join(" AND ");
  const walk = commonCandidates(query, [isWanted, shown, all, matchShown(wanted)], filters);
  return rare.length === 0 ? [walk] : [walk, rareCandidates(query, matchAny(rare), filters)];
}

/** Sorted by a column: all that meets every word, or, where nothing does, any word. */
async function sorted(run: Run, { slots }: Query, request: SearchRequest, sort: ColumnSort): Promise<Found> {
  if (slots.length === 0) return { ids: [], cut: false };
  const [strict = []] = await run([countMatches([matchAll(slots)])]);
  const expression = countRows.parse(strict)[0] === 0 ? matchAny(slots) : matchAll(slots);
  const [rows = []] = await run([sortedPage(expression, request, sort, request.limit + 1, request.after)]);
  const found = sortedRows.parse(rows);
  const shown = found.slice(0, request.limit);
  const last = shown.at(-1);
  return {
    ids: shown.map(({ id }) => id),
    ...(found.length > shown.length && last && { next: [last.sort_key, last.sku] satisfies Position }),
    cut: found.some(({ walked }) => walked === SORTED_MAX),
  };
}
