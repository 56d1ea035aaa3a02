import * as z from "zod";
import { type Head, exportLine } from "./chain.ts";
import { type AuditRecord, recordSchema } from "./records.ts";
import type { Run } from "./repeats.ts";

// The SQL of one principal's Durable Object, and the only SQL outside src/catalog, src/inventory and the like.

const SCHEMA = `
CREATE TABLE IF NOT EXISTS records (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, text TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL);
`;

const headSchema = z.object({ seq: z.int(), hash: z.string() });
const stateSchema = z.object({
  principal: z.string(),
  startedAt: z.int(),
  checkpoint: headSchema,
  anchored: z.object({ seq: z.int(), at: z.int() }),
  retentionMs: z.int(),
});
/** What an object keeps of itself beside its records. */
export type State = z.output<typeof stateSchema>;

const runSchema = z.object({
  of: z.int(),
  decision: z.string(),
  bucket: z.enum(["calls", "discovery"]),
  until: z.int(),
  count: z.int(),
  lastAt: z.int(),
  charges: z.array(z.object({ at: z.int(), weight: z.int() })),
});

const recordRow = z.object({ seq: z.int(), at: z.int(), text: z.string(), hash: z.string() });

export interface Store {
  state(): State | undefined;
  saveState(state: State): void;
  last(): (Head & { at: number }) | undefined;
  append(at: number, text: string, head: Head): void;
  /** The newest records first, parsed as they are asked for. */
  newestFirst(): Iterable<AuditRecord>;
  /** Lines of an export behind a record, up to another. */
  lines(after: number, upTo: number, limit: number): { seq: number; line: string }[];
  /** The last record before a moment; what is pruned ends there. */
  lastBefore(at: number): Head | undefined;
  prune(upTo: number): void;
  oldestAt(): number | undefined;
  runs(): [key: string, run: Run][];
  saveRun(key: string, run: Run): void;
  dropRun(key: string): void;
}

/** Its tables come to be with the first state saved: an object that is only asked, or whose chain is over, stores nothing. */
export function createStore(sql: SqlStorage): Store {
  let exists = sql.exec("SELECT 1 FROM sqlite_schema WHERE name = 'state'").toArray().length > 0;
  if (exists) sql.exec(SCHEMA);
  const begin = () => {
    if (!exists) sql.exec(SCHEMA);
    exists = true;
  };
  const select = (query: string, ...values: (string | number)[]) =>
    exists ? sql.exec(query, ...values) : [];
  const one = (query: string) => [...select(query)][0];
  return {
    state() {
      const row = one("SELECT text FROM state");
      return row === undefined ? undefined : stateSchema.parse(parseText(row));
    },
    saveState(state) {
      begin();
      sql.exec("INSERT OR REPLACE INTO state (id, text) VALUES (1, ?)", JSON.stringify(state));
    },
    last() {
      const row = one("SELECT seq, at, text, hash FROM records ORDER BY seq DESC LIMIT 1");
      return row === undefined ? undefined : recordRow.parse(row);
    },
    append: (at, text, { seq, hash }) =>
      void sql.exec("INSERT INTO records (seq, at, text, hash) VALUES (?, ?, ?, ?)", seq, at, text, hash),
    *newestFirst() {
      for (const row of select("SELECT text FROM records ORDER BY seq DESC"))
        yield recordSchema.parse(parseText(row));
    },
    lines(after, upTo, limit) {
      const range = "SELECT seq, at, text, hash FROM records WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?";
      return [...select(range, after, upTo, limit)].map((row) => {
        const { seq, text, hash } = recordRow.parse(row);
        return { seq, line: exportLine(text, hash) };
      });
    },
    lastBefore(moment) {
      // From the oldest on: times never go back, so only what will be pruned is read.
      let last: Head | undefined;
      for (const row of select("SELECT seq, at, text, hash FROM records ORDER BY seq")) {
        const { seq, at, hash } = recordRow.parse(row);
        if (at >= moment) break;
        last = { seq, hash };
      }
      return last;
    },
    prune: (upTo) => void sql.exec("DELETE FROM records WHERE seq <= ?", upTo),
    oldestAt() {
      const row = one("SELECT seq, at, text, hash FROM records ORDER BY seq LIMIT 1");
      return row === undefined ? undefined : recordRow.parse(row).at;
    },
    runs: () =>
      [...select("SELECT key, text FROM runs")].map((row) => [
        z.string().parse(row["key"]),
        runSchema.parse(parseText(row)),
      ]),
    saveRun: (key, run) =>
      void sql.exec("INSERT OR REPLACE INTO runs (key, text) VALUES (?, ?)", key, JSON.stringify(run)),
    dropRun: (key) => void sql.exec("DELETE FROM runs WHERE key = ?", key),
  };
}

const textRow = z.object({ text: z.string() });

function parseText(row: unknown): unknown {
  return JSON.parse(textRow.parse(row).text);
}
