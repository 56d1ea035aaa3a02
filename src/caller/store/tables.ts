import * as z from "zod";
import { logUnreadable } from "../../telemetry/readable-rows.ts";

const TABLES = {
  records: "(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, text TEXT NOT NULL, hash TEXT NOT NULL)",
  acts: "(seq INTEGER PRIMARY KEY, note_id TEXT)",
  runs: "(key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID",
  flow_state: "(key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID",
  flow_at: "(id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL)",
  incidents: "(id TEXT PRIMARY KEY, text TEXT NOT NULL, told TEXT NOT NULL)",
  state: "(id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL)",
};

/** Columns that tables of earlier releases lack. Those releases store rows without them. */
const ADDED = [{ table: "acts", column: "note_id", type: "TEXT" }];

/**
 * True of records that a rule matched. In a caller's text every quotation mark is escaped with a backslash, so no text can
 * match. The index below uses the same expression.
 */
export const HAS_HITS = `instr(text, '"hits":[{') > 0`;
/** Covers the records that a rule matched, which are few. */
const HITS_INDEX = `CREATE INDEX IF NOT EXISTS records_with_hits ON records (seq) WHERE ${HAS_HITS}`;

const tableRow = z.object({ name: z.string(), sql: z.string() });

export type Value = string | number | null;
type Row = Record<string, SqlStorageValue>;

/** The tables of one caller's object. */
export interface Tables {
  /** Creates the tables. An object that is only read, or whose chain has ended, stores nothing. */
  make: () => void;
  /** Returns the rows of a query; none until the tables exist. */
  select: (query: string, ...values: Value[]) => Iterable<Row>;
  /** Returns the first row of a query. */
  one: (query: string, ...values: Value[]) => Row | undefined;
  run: (query: string, ...values: Value[]) => void;
  /** Logs that a row can't be read, once per table: many rows may be of a newer release. */
  reportUnreadable: (table: string) => (error: unknown) => void;
}

/** Opens the tables, which are created when the first state is saved. Those of an earlier release are upgraded at once. */
export function openTables(sql: SqlStorage): Tables {
  const found = new Map(
    sql
      .exec("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
      .toArray()
      .map((row) => tableRow.parse(row))
      .map((table) => [table.name, table.sql]),
  );
  let exists = found.has("state");
  const make = () => {
    // A newer release may have added tables.
    for (const [name, columns] of Object.entries(TABLES))
      // An earlier attempt may have stopped half way because the storage was full.
      if (!found.has(name)) sql.exec(`CREATE TABLE IF NOT EXISTS ${name} ${columns}`);
    for (const { table, column, type } of ADDED)
      if (found.get(table)?.includes(column) === false)
        sql.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
    sql.exec(HITS_INDEX);
    exists = true;
  };
  const isCurrent = () =>
    [...Object.keys(TABLES), "records_with_hits"].every((name) => found.has(name)) &&
    ADDED.every(({ table, column }) => found.get(table)?.includes(column));
  if (exists && !isCurrent()) make();
  const named = new Set<string>();
  const select: Tables["select"] = (query, ...values) => (exists ? sql.exec(query, ...values) : []);
  return {
    make() {
      if (!exists) make();
    },
    select,
    one: (query, ...values) => [...select(query, ...values)][0],
    run: (query, ...values) => void sql.exec(query, ...values),
    reportUnreadable: (table) => (error) => {
      if (!named.has(table)) logUnreadable(table, error);
      named.add(table);
    },
  };
}
