/** The largest page that the server returns. */
const PAGE_MAX = 1_000;
/** Rows that a list shows unless all are asked for. */
export const SHOWN = 100;

interface Page<Row> {
  rows: Row[];
  /** The cursor of the next page. */
  next: string | null;
}

/** Reads the first page of a list, or all of it. `read` gets the query string, including its question mark. */
export async function readPages<Row>(
  query: Record<string, string | undefined>,
  all: boolean,
  read: (query: string) => Promise<Page<Row>>,
): Promise<{ rows: Row[]; more: boolean }> {
  const rows: Row[] = [];
  const asked = new URLSearchParams({ limit: String(all ? PAGE_MAX : SHOWN) });
  for (const [name, value] of Object.entries(query)) if (value !== undefined) asked.set(name, value);
  for (;;) {
    const page = await read(`?${asked}`);
    for (const row of page.rows) rows.push(row);
    if (!all || page.next === null) return { rows, more: page.next !== null };
    asked.set("after", page.next);
  }
}

/** Tells on standard error that rows are missing, so that standard output stays readable by programs. */
export const sayMore = (): void => console.error("There are more rows. Add --all for all of them.");
