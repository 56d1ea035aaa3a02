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

/** Columns that a table of an earlier release has not. A release before them stores rows without. */
const ADDED = [{ table: "acts", column: "note_id", type: "TEXT" }];

/**
 * True of records at which a rule spoke. A quotation mark inside a caller's text is stored with a backslash before it, so
 * no text can match. The index below has the same words.
 */
export const HAS_HITS = `instr(text, '"hits":[{') > 0`;
/** Records at which a rule spoke, which are few. */
const HITS_INDEX = `CREATE INDEX IF NOT EXISTS records_with_hits ON records (seq) WHERE ${HAS_HITS}`;

const tableRow = z.object({ name: z.string(), sql: z.string() });

export type Value = string | number | null;
type Row = Record<string, SqlStorageValue>;

/** The tables of one caller's object. */
export interface Tables {
  /** Makes the tables; an object that is only asked, or whose chain is over, stores nothing. */
  make: () => void;
  /** Rows of a query; none while there are no tables. */
  select: (query: string, ...values: Value[]) => Iterable<Row>;
  /** The first row of a query. */
  one: (query: string, ...values: Value[]) => Row | undefined;
  run: (query: string, ...values: Value[]) => void;
  /** Logs that a row of a table can't be read, once for each table: many rows may be of a later release. */
  tell: (table: string) => (error: unknown) => void;
}

/** Tables are made with the first state saved. Those of an earlier release are brought up to date at once. */
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
    // A later release may have tables that an object's first one had not.
    for (const [name, columns] of Object.entries(TABLES))
      // The storage may have been full after some of them.
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
    tell: (table) => (error) => {
      if (!named.has(table)) logUnreadable(table, error);
      named.add(table);
    },
  };
}
