/** SQL with its values: bound locally, written out as literals for a remote database. */
export interface Statement {
  sql: string;
  values: (string | number | null)[];
}

/** Runs statements in one round trip and returns the rows of each. */
export type Run = (statements: Statement[]) => Promise<unknown[][]>;
