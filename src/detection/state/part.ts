/** A value that a row can hold. */
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

/** A row that changed since the last `takeChanges`: its new value, or undefined if it is gone. */
export type RowChange = FlowRow | { key: string; value: undefined };

/** A part of the state. It holds nothing but its rows, so it can be rebuilt from them. */
export interface Part {
  /** Prefix of the keys of this part's rows. */
  readonly prefix: string;
  /** Keys that changed since they were last cleared, without the prefix. */
  readonly changed: Set<string>;
  keys(): Iterable<string>;
  /** Returns undefined if there is no such row. */
  value(key: string): Json | undefined;
  /** Loads a row that `value` returned. Throws if it has another shape. */
  load(key: string, value: unknown): void;
}
