import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import type { Run } from "../../database/statement.ts";
import type { Position } from "../cursor.ts";
import { type FilterCounts, countFilters, readCounts } from "../filter-counts.ts";
import type { Filters } from "./facets.ts";
import { readQuery } from "./query.ts";
import { refresh } from "../import/refresh.ts";
import { CHOSEN_FROM_MAX } from "./match-conditions.ts";
import { findPage } from "./relevance-page.ts";
import { sortedPage } from "./sorted-page.ts";
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

const pageRows = z.array(
  z.object({
    key: z.union([z.string(), z.number()]).optional(),
    sku: z.string(),
    summary: z.string(),
    cut: z.int(),
    unread: jsonText.pipe(z.tuple([z.union([z.string(), z.number()]), z.string()])).nullish(),
  }),
);

/**
 * Finds products. Relevance takes one round trip if no word needs a correction, else two, because the corrections come from
 * the catalog's vocabulary. Sorting and facets take two. Nothing is written before `admitted` resolves.
 */
export async function search(run: Run, request: SearchRequest, admitted: Promise<void>): Promise<Found> {
  const query = readQuery(request.query);
  // A text without words, such as an emoji, finds nothing rather than everything.
  if (query.words.length === 0 && request.query !== "") return { summaries: [], cut: false };
  const { sort, facets } = request;
  // One row more tells whether there is a next page, and one may be the last product shown.
  const limit = request.limit + 2;
  const byRelevance = (known?: Known) => findPage(query, known, request, limit, startOf(request));
  const asTyped = sort === "relevance" && query.words.length <= CHOSEN_FROM_MAX ? [byRelevance()] : [];
  const [rows, firstTry] = await run([lookUpWords(query), ...asTyped]);
  const known = readKnown(query, rows);
  if (!known.settled) {
    await admitted;
    await refresh(run);
  }
  const again = isAsTyped(known) ? firstTry : undefined;
  const page = () =>
    sort === "relevance" ? byRelevance(known) : sortedPage(query, known, request, sort, limit);
  const statements = [
    ...(facets === true ? [countFilters(query, known, request)] : []),
    ...(again === undefined ? [page()] : []),
  ];
  const answers = statements.length === 0 ? [] : await run(statements);
  return {
    ...toPage(again ?? answers.at(-1), request),
    ...(facets === true && { facets: readCounts(answers[0]) }),
  };
}

// A page by relevance starts at the last product shown, because the others move up by one if it has left the catalog.
function startOf({ after }: SearchRequest): number {
  const rank = Number(after?.[0] ?? 1);
  return Number.isSafeInteger(rank) ? Math.max(0, rank - 1) : 0;
}

/** Builds a page from the rows of findPage() or sortedPage(). One hit more than the limit means that there is a next page. */
function toPage(rows: unknown, request: SearchRequest): Found {
  const { sort, after, limit } = request;
  const hits = pageRows
    .parse(rows)
    .map((row, index) => ({ ...row, key: row.key ?? startOf(request) + index + 1 }))
    .filter(({ sku }) => sku !== after?.[1]);
  const shown = hits.slice(0, limit);
  const last = shown.at(-1);
  const more = hits.length > limit;
  const next = more && last !== undefined ? ([last.key, last.sku] satisfies Position) : hits[0]?.unread;
  return {
    summaries: shown.map(({ summary }) => summary),
    ...(next && { next }),
    cut: shown.some(({ cut }) => cut === 1) && !(more && sort === "relevance"),
  };
}
