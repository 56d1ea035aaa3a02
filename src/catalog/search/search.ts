import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import type { Statement } from "../../database/statement.ts";
import type { Position } from "../cursor.ts";
import type { Filters } from "./facets.ts";
import {
  type Query,
  type Slot,
  matchAll,
  matchAny,
  readQuery,
  withCompletions,
  withCorrection,
} from "./query.ts";
import { WEIGHTS, rank, readCandidates } from "./ranking.ts";
import {
  CANDIDATES,
  type ColumnSort,
  SORTED_MAX,
  findAlike,
  findCompletions,
  lookUp,
  matchesAny,
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

/** A product that was found; `summary` is what SUMMARY_CELL (../product.ts) makes of it. */
interface Hit {
  id: number;
  summary: string;
}

export interface Found {
  /** In order. */
  hits: Hit[];
  /** Where the page ended, where there is more. */
  next?: Position;
  /** True where there were more matches than this way of searching takes in. */
  cut: boolean;
}

/** Runs statements as one round trip; gives the rows of each. */
type Run = (statements: Statement[]) => Promise<unknown[][]>;

const hitSchema = z.object({ id: z.int(), summary: z.string() });
const surveyRows = z.tuple([
  z.object({
    exact: jsonText.pipe(z.array(hitSchema)),
    total: z.int(),
    matches: jsonText.pipe(z.array(z.int())),
    candidates: z.string().transform(readCandidates),
    complete: z.int(),
  }),
]);
type Survey = z.output<typeof surveyRows>[0];
const foundRows = z.tuple([z.object({ found: z.int() })]);
const wordRows = z.array(z.object({ word: z.string() }));
const sortedRows = z.array(
  hitSchema.extend({ sku: z.string(), sort_key: z.union([z.string(), z.number()]), walked: z.int() }),
);

/** What an evaluation varies (cli/eval-ablation.ts). */
export interface Tuning {
  read: (text: string) => Query;
  weights: typeof WEIGHTS;
  limits: typeof CANDIDATES;
}
const TUNED: Tuning = { read: readQuery, weights: WEIGHTS, limits: CANDIDATES };
/** Where a column sorts, there is nothing to score. */
const NONE = { all: 0, enough: 0, some: 0 };

/** Finds products. By relevance one round trip, three where a word may be misspelt; sorted by a column two more. */
export async function search(run: Run, request: SearchRequest, tuning = TUNED): Promise<Found> {
  const typed = tuning.read(request.query);
  if (typed.slots.length === 0) return { hits: [], cut: false };
  const { sort } = request;
  const limits = sort === "relevance" ? tuning.limits : NONE;
  const survey = async (query: Query): Promise<Survey> => {
    const [rows] = await run([lookUp(query, request, limits)]);
    return surveyRows.parse(rows)[0];
  };

  const first = await survey(typed);
  const meant = first.exact.length > 0 ? undefined : await forgive(run, typed, first.matches);
  const query = meant ?? typed;
  if (sort !== "relevance") return sorted(run, query, request, sort);

  const { matches, total, candidates, complete } = meant === undefined ? first : await survey(meant);
  const exact = new Set(first.exact.map(({ id }) => id));
  const others = candidates.filter(({ id }) => !exact.has(id));
  const ranked = rank(query, matches, total, others, tuning.weights);
  return page([...first.exact, ...ranked.map(({ candidate }) => candidate)], request, complete === 0);
}

function page(all: Hit[], { limit, after }: SearchRequest, cut: boolean): Found {
  const start = after === undefined ? 0 : startAfter(all, after);
  const hits = all.slice(start, start + limit);
  const last = hits.at(-1);
  const end = start + hits.length;
  const more = end < all.length;
  return {
    hits,
    ...(more && last !== undefined && { next: [end, skuOf(last)] satisfies Position }),
    cut: cut && !more,
  };
}

/** Behind the last one shown; where that has left the catalog, the others have moved up by one. */
function startAfter(all: Hit[], [end, last]: Position): number {
  const at = all.findIndex((hit) => skuOf(hit) === last);
  return at >= 0 ? at + 1 : Math.max(0, Number(end) - 1);
}

/** A summary begins with the SKU. */
const skuOf = ({ summary }: Hit): string => skuCell.parse(summary)[0];
const skuCell = jsonText.pipe(z.tuple([z.string()], z.unknown()));

/** Where a word finds next to nothing, it may be unfinished (the last one) or misspelt; undefined where none does. */
async function forgive(run: Run, query: Query, matches: readonly number[]): Promise<Query | undefined> {
  const isDoubtful = (slot: Slot, index: number) =>
    (matches[index] ?? 0) < THIN && /^\p{L}{3,}$/u.test(slot[0].phrase);
  if (!query.slots.some(isDoubtful)) return undefined;
  const slots = await Promise.all(
    query.slots.map(async (slot, index) =>
      isDoubtful(slot, index)
        ? suggest(run, slot, index === query.slots.length - 1, matches[index] === 0)
        : slot,
    ),
  );
  return { ...query, slots };
}

async function suggest(run: Run, slot: Slot, last: boolean, unknown: boolean): Promise<Slot> {
  const word = slot[0].phrase;
  const [completions = [], alike = []] = await run([findCompletions(word), findAlike(matchAlike(word))]);
  const wordsOf = (rows: unknown) => wordRows.parse(rows).map((row) => row.word);
  const finished = last ? withCompletions(slot, wordsOf(completions)) : slot;
  const [meant] = unknown ? corrections(word, wordsOf(alike)) : [];
  return meant === undefined ? finished : withCorrection(finished, meant, last);
}

/** Sorted by a column: all that meets every word, or, where nothing does, any word. */
async function sorted(run: Run, { slots }: Query, request: SearchRequest, sort: ColumnSort): Promise<Found> {
  const [strict] = await run([matchesAny(matchAll(slots))]);
  const expression = foundRows.parse(strict)[0].found === 0 ? matchAny(slots) : matchAll(slots);
  const [rows = []] = await run([sortedPage(expression, request, sort, request.limit + 1, request.after)]);
  const found = sortedRows.parse(rows);
  const shown = found.slice(0, request.limit);
  const last = shown.at(-1);
  return {
    hits: shown,
    ...(found.length > shown.length && last && { next: [last.sort_key, last.sku] satisfies Position }),
    cut: found.some(({ walked }) => walked === SORTED_MAX),
  };
}
