import type { Command } from "commander";
import { wholeNumber } from "../arguments.ts";

/** Which page of a list a command prints. */
export interface PageOptions {
  after?: string;
  limit: number;
  all?: boolean;
}
/** What else a list is asked for, by name. */
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
  const rows: Row[] = [];
  let next: string | null = after ?? null;
  do {
    const query: Query = { ...rest, limit: all ? LIMIT_MAX : limit, after: next ?? undefined };
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const page: Read<Row> = await read(`?${new URLSearchParams(given)}`);
    for (const row of page.rows) rows.push(row);
    next = page.next;
  } while (all && next !== null);
  return { rows, next };
}

/** Says on standard error how to get the next page, so that what is printed stays what a program reads. */
export function sayNext(next: string | null): void {
  if (next !== null) console.error(`There are more: --after ${next} is the next page, --all all of them.`);
}
