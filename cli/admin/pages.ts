import type { Command } from "commander";
import { wholeNumber } from "../arguments.ts";

/** Which page of a list a command prints. */
export interface PageOptions {
  after?: string;
  limit: number;
  all?: boolean;
}
/** Names the further query parameters of a list. */
export type Query = Record<string, string | number | boolean | undefined>;

/** The most that the server gives at a time. */
const LIMIT_MAX = 1_000;

/** Gives a command that lists the options that choose a page. */
export const withPages = (command: Command): Command =>
  command
    .option("--limit <number>", `rows on a page, ${LIMIT_MAX} at most`, wholeNumber, 100)
    .option("--after <cursor>", "the next page, by the cursor that the page before ended with")
    .option("--all", "every page");

interface Read<Row> {
  rows: Row[];
  next: string | null;
}

/** Reads one page of a list, or all from there on; `read` gets the query, which begins with a question mark. */
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

/** Says on standard error how to get the next page, so that what is printed stays what a program reads. */
export function sayNext(next: string | null): void {
  if (next !== null) console.error(`There are more: --after ${next} is the next page, --all all of them.`);
}
