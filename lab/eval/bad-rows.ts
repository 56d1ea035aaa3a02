const SHOWN = 10;

export interface BadRow {
  /** Counts from 1. */
  line: number;
  problem: string;
}

/**
 * Throws an Error that names the first bad rows of a file: leaving them out would change the figure
 * unnoticed.
 */
export function refuseBadRows(file: string, rows: readonly BadRow[]): void {
  if (rows.length === 0) return;
  const named = rows.slice(0, SHOWN).map(({ line, problem }) => `${file}, line ${line}: ${problem}`);
  const more = rows.length > SHOWN ? [`${file}: ${rows.length - SHOWN} more bad rows`] : [];
  throw new Error([...named, ...more].join("\n"));
}
