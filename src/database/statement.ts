/** SQL with its values: bound locally, written out as literals for a remote database. */
export interface Statement {
  sql: string;
  values: (string | number | null)[];
}
