import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import type { Statement } from "../../database/statement.ts";
import type { Position } from "../cursor.ts";
import { type FilterCounts, countFilters, readCounts } from "./filter-counts.ts";
import type { Filters } from "./facets.ts";
import { type Query, readQuery } from "./query.ts";
import { refresh } from "./refresh.ts";
import { CHOSEN_FROM_MAX } from "./match-conditions.ts";
import { findPage } from "./relevance-page.ts";
import { type ColumnSort, sortedPage } from "./sorted-page.ts";
import { type Known, isAsTyped, lookUpWords, readKnown } from "./vocabulary.ts";

export const sortSchema = z.enum(["relevance", "price_asc", "price_desc", "name"]);

export interface SearchRequest extends Filters {
  /** An empty text finds every product that passes the filters. */
  query: string;
  /** Whether to count the filters as well. */
  facets?: boolean | undefined;
  sort: z.output<typeof sortSchema>;
  limit: number;
  /** Milliseconds since the epoch, which decide the sales that run. */
  now: number;
  after?: Position | undefined;
}

export interface Found {
  /** In order, as summaryCell() (../product.ts) makes them. */
  summaries: string[];
  /** The end of this page, if there is another. */
  next?: Position;
  /** Whether there were more matches than the search considered. */
  cut: boolean;
  facets?: FilterCounts;
}

/** Runs statements in one round trip and returns the rows of each. */
export type Run = (statements: Statement[]) => Promise<unknown[][]>;

const pageRows = z.array(z.object({ sku: z.string(), summary: z.string(), complete: z.int() }));
const sortKey = z.union([z.string(), z.number()]);
const sortedRows = z.array(
  z.object({
    hit: jsonText.pipe(z.tuple([sortKey, z.string(), z.string()])),
    cut: z.int(),
    unread: jsonText.pipe(z.tuple([sortKey, z.string()])).nullable(),
  }),
);

/**
 * Finds products. Relevance takes one round trip if no word needs a correction, else two, because the corrections come from
 * the catalog's vocabulary. Sorting takes two, facets one more. Nothing is written before `admitted` resolves.
 */
export async function search(run: Run, request: SearchRequest, admitted: Promise<void>): Promise<Found> {
  const query = readQuery(request.query);
  // A text without words, such as an emoji, finds nothing rather than everything.
  if (query.words.length === 0 && request.query !== "") return { summaries: [], cut: false };
  const { sort, category, brand, minPrice, maxPrice, inStock, facets, now } = request;
  const isFirstTry = sort === "relevance" && query.words.length <= CHOSEN_FROM_MAX;
  const [rows, firstTry] = await run([
    lookUpWords(query),
    ...(isFirstTry ? [pageStatement(query, undefined, request)] : []),
  ]);
  const known = readKnown(query, rows);
  if (!known.settled) {
    await admitted;
    await refresh(run);
  }
  const rowsOf = async (statement: Statement) => (await run([statement]))[0];
  const page =
    sort !== "relevance"
      ? await sorted(run, query, known, request, sort)
      : relevant(
          (isAsTyped(known) ? firstTry : undefined) ?? (await rowsOf(pageStatement(query, known, request))),
          request,
        );
  if (facets !== true) return page;
  const filters = { category, brand, minPrice, maxPrice, inStock };
  const [counts] = await run([countFilters(query, known, filters, now)]);
  return { ...page, facets: readCounts(counts) };
}

// Starts at the last product shown, because the others move up by one if it has left the catalog.
function startOf({ after }: SearchRequest): number {
  const rank = Number(after?.[0] ?? 1);
  return Number.isSafeInteger(rank) ? Math.min(Math.max(0, rank - 1), CANDIDATES_MAX) : 0;
}
/** No page by relevance starts behind so many products: fewer are scored. */
const CANDIDATES_MAX = 1_000;

const pageStatement = (query: Query, known: Known | undefined, request: SearchRequest) =>
  findPage(query, known, request, request.limit + 2, startOf(request));

/** A page by relevance from the rows of pageStatement(). */
function relevant(rows: unknown, request: SearchRequest): Found {
  const { after, limit } = request;
  const hits = pageRows.parse(rows);
  const isLastStillThere = after !== undefined && hits[0]?.sku === after[1];
  const shown = (isLastStillThere ? hits.slice(1) : hits).slice(0, limit + 1);
  const start = startOf(request) + (isLastStillThere ? 1 : 0);
  return toPage(
    shown.map(({ sku, summary }, index) => [start + index + 1, sku, summary]),
    limit,
    hits[0]?.complete === 0,
  );
}

async function sorted(
  run: Run,
  query: Query,
  known: Known,
  request: SearchRequest,
  sort: ColumnSort,
): Promise<Found> {
  const { after, limit } = request;
  const [rows = []] = await run([sortedPage(query, known, request, sort, limit + 1, after)]);
  const found = sortedRows.parse(rows);
  const { next, ...page } = toPage(
    found.map(({ hit }) => hit),
    limit,
    false,
  );
  const onward = next ?? found[0]?.unread ?? undefined;
  return {
    ...page,
    ...(onward && { next: onward }),
    cut: found.slice(0, limit).some(({ cut }) => cut === 1),
  };
}

type Hit = readonly [key: string | number, sku: string, summary: string];

/** Builds a page of `limit` hits. One hit more means that there is a next page. */
function toPage(hits: readonly Hit[], limit: number, isCut: boolean): Found {
  const shown = hits.slice(0, limit);
  const last = shown.at(-1);
  const more = hits.length > shown.length;
  return {
    summaries: shown.map(([, , summary]) => summary),
    ...(more && last !== undefined && { next: [last[0], last[1]] satisfies Position }),
    cut: isCut && !more,
  };
}
