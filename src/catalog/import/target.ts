import type { Statement } from "../../database/statement.ts";
import type { Comparison } from "./comparison.ts";

/** Runs statements as one transaction; returns the rows of each. */
export interface Database {
  batch: (statements: Statement[]) => Promise<unknown[][]>;
}

/** The place that an import writes to. */
export interface Target {
  /** Most bytes of one statement's values. */
  statementMax: number;
  /** Opens an import; returns the line up to which an earlier, interrupted run staged it. */
  begin(importId: string): Promise<number>;
  /** Runs the statements that store rows. */
  stage(statements: Statement[]): Promise<void>;
  /** Returns what applying would change, or undefined if the target can only write. */
  compare(importId: string, options: ApplyOptions): Promise<Comparison | undefined>;
  /** Returns the rows of a query, or undefined if the target can only write. */
  query(statement: Statement): Promise<unknown[] | undefined>;
  /** Moves the stored rows into the catalog, and deletes them. Then runs the statements that record the import. */
  apply(importId: string, options: ApplyOptions, record: readonly Statement[]): Promise<void>;
  /** Deletes the stored rows, which changes nothing in the catalog. Then runs the statements that record it. */
  drop(importId: string, record?: readonly Statement[]): Promise<void>;
  /** Lets the next import apply its rows, after this one has failed. */
  endTurn?: () => Promise<void>;
}

export interface ApplyOptions {
  removeMissing: boolean;
}
