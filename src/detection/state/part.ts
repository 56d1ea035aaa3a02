/** What a row's value is made of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** One row of a caller's flow state, to be stored. */
export interface FlowRow {
  key: string;
  value: Json;
}

/** A row as it was read back; its part parses it. */
export interface StoredRow {
  key: string;
  value: unknown;
}

/** A change since the last one was taken: a row as it is now, or that it is gone. */
export type RowChange = FlowRow | { key: string; value: undefined };

/** A part of the state: what it holds is its rows, no more, so that it can be rebuilt from them. */
export interface Part {
  /** Begins the keys of this part's rows. */
  readonly prefix: string;
  /** Keys changed since they were last cleared, without the prefix. */
  readonly changed: Set<string>;
  keys(): Iterable<string>;
  /** Undefined where there is no such row. */
  value(key: string): Json | undefined;
  /** Takes in a row that `value` gave; throws where it is of another shape. */
  load(key: string, value: unknown): void;
}
