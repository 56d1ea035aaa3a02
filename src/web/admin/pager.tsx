interface PagerProps {
  /** The address of the list's first page; may have a query. */
  list: string;
  /** The end of the previous page; undefined on the first. */
  cursor: string | undefined;
  next: string | null;
}

/** The address of a page of a list. */
export const pagePath = (list: string, cursor: string | undefined): string =>
  cursor === undefined ? list : `${list}${list.includes("?") ? "&" : "?"}after=${encodeURIComponent(cursor)}`;

/** Links to the first and the next page. A list of one page has none. */
export function Pager({ list, cursor, next }: PagerProps) {
  if (cursor === undefined && next === null) return <></>;
  return (
    <nav class="ranges" aria-label="Pages">
      {cursor !== undefined && <a href={list}>First page</a>}
      {next !== null && <a href={pagePath(list, next)}>Next page</a>}
    </nav>
  );
}
