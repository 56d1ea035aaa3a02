import type { Command } from "commander";
import { wholeNumber } from "../arguments.ts";

/** The page of a list that a command prints. */
export interface PageOptions {
  after?: string;
  limit: number;
  all?: boolean;
}
/** Further query parameters of a list, by name. */
export type Query = Record<string, string | number | boolean | undefined>;

/** The largest page that the server returns. */
const LIMIT_MAX = 1_000;

/** Adds the options that choose a page to a command that lists. */
export const withPages = (command: Command): Command =>
  command
    .option("--limit <number>", `rows per page, at most ${LIMIT_MAX}`, wholeNumber, 100)
    .option("--after <cursor>", "the cursor printed after the previous page")
    .option("--all", "print all pages");

interface Read<Row> {
  rows: Row[];
  next: string | null;
}

/**
 * Reads one page of a list, or all pages from there on. `read` gets the query string, including its question
 * mark.
 */
export async function readPages<Row>(
  { after, limit, all = false, ...rest }: PageOptions & Query,
  read: (query: string) => Promise<Read<Row>>,
): Promise<Read<Row>> {
  const readOne = (limited: number, cursor: string | undefined) => {
    const query: Query = { ...rest, limit: limited, after: cursor };
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    );
    return read(`?${new URLSearchParams(given)}`);
  };
  if (!all) return readOne(limit, after);
  const rows: Row[] = [];
  for (let cursor: string | null | undefined = after; cursor !== null;) {
    const page: Read<Row> = await readOne(LIMIT_MAX, cursor);
    for (const row of page.rows) rows.push(row);
    cursor = page.next;
  }
  return { rows, next: null };
}

/** Tells on standard error how to get the next page, so that standard output stays readable by programs. */
export function sayNext(next: string | null): void {
  if (next !== null)
    console.error(`There are more rows. Add --after ${next} for the next page, or --all for all of them.`);
}
