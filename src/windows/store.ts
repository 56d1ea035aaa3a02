import * as z from "zod";
import { jsonText } from "../database/json-text.ts";
import { type Head, exportLine } from "./chain.ts";
import type { RowChange, StoredRow } from "../flow/state/part.ts";
import { logUnreadable, readableRows } from "../telemetry/readable-rows.ts";
import { type Incident, incidentSchema } from "./incidents.ts";
import {
  ADMITTED,
  type Act,
  type Attempt,
  type AuditRecord,
  type Bucket,
  type Outcome,
  bucketSchema,
  isAct,
  repeatsSchema,
} from "./records.ts";
import { readRecord } from "./stored-record.ts";
import type { Run } from "./repeats.ts";
import type { Charge } from "./sliding-window.ts";

// The SQL of one principal's Durable Object, and the only SQL outside src/catalog, src/inventory and the like.

const TABLES = {
  records: "(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, text TEXT NOT NULL, hash TEXT NOT NULL)",
  acts: "(seq INTEGER PRIMARY KEY, note_id TEXT)",
  runs: "(key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID",
  flow_state: "(key TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID",
  flow_at: "(id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL)",
  incidents: "(id TEXT PRIMARY KEY, text TEXT NOT NULL, told TEXT NOT NULL)",
  state: "(id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL)",
};

const tableRow = z.object({ name: z.string(), sql: z.string() });
/** Columns that a table of an earlier release has not. A release before them stores rows without. */
const ADDED = [{ table: "acts", column: "note_id", type: "TEXT" }];

const headSchema = z.object({ seq: z.int(), hash: z.string() });
// Loose here and for runs: what a later release has added is written back with the rest.
const stateSchema = z.looseObject({
  principal: z.string(),
  startedAt: z.int(),
  checkpoint: headSchema,
  anchored: z.object({ seq: z.int(), at: z.int() }),
  /** Whether the index of chains has this one; it is told behind the first anchor. */
  indexed: z.boolean().optional(),
  retentionMs: z.int(),
  /** When the last record that was pruned was made; 0 while none was. */
  prunedAt: z.int(),
});
/** Without these three nobody can say where the chain begins; the others are found out anew. */
const leastState = stateSchema.extend({
  anchored: stateSchema.shape.anchored.catch({ seq: 0, at: 0 }),
  retentionMs: stateSchema.shape.retentionMs.catch(0),
  prunedAt: stateSchema.shape.prunedAt.catch(0),
});
/** What an object keeps of itself beside its records. */
export type State = z.output<typeof stateSchema>;

const runSchema = z.looseObject({
  of: z.int(),
  decision: z.string(),
  bucket: bucketSchema,
  until: z.int(),
  count: z.int(),
  lastAt: z.int(),
  charges: z.object({ times: z.array(z.int()), weights: z.array(z.int()) }),
  calls: z.array(z.string()).optional(),
});

const toldSchema = z.enum(["nobody", "database", "everybody"]);
/** Who has an incident as it is now: D1 is told first, then the webhook. */
export type Told = z.output<typeof toldSchema>;

const incidentRow = z.object({ text: jsonText.pipe(incidentSchema), told: toldSchema });
const runRow = z.object({ key: z.string(), text: jsonText.pipe(runSchema) });
const stateRow = <Schema extends z.ZodType>(schema: Schema) => z.object({ text: jsonText.pipe(schema) });
const linkRow = z.object({ seq: z.int(), at: z.int(), hash: z.string() });
const exportedRow = z.object({ seq: z.int(), text: z.string(), hash: z.string() });

/** One record's line of an export. */
export interface ExportedLine {
  seq: number;
  line: string;
}

export interface Store {
  /** Undefined where there is none; "unreadable" where a later release has stored one that can't be read, which stays. */
  state(): State | "unreadable" | undefined;
  saveState(state: State): void;
  last(): (Head & { at: number }) | undefined;
  append(at: number, text: string, head: Head): void;
  /** Makes a record one of those that `acts` gives; `noteId` names the request that made it. */
  noteAct(seq: number, noteId: string | null): void;
  /** The record that a request has made; undefined where it is none of the newest. */
  actOf(noteId: string): Act | undefined;
  /** Attempts since a moment, among the newest records. */
  attemptsSince(moment: number): Pick<Attempt, "seq" | "name" | "correlation_id">[];
  /** The outcome of an attempt, where it is settled. */
  outcomeOf(attempt: number): Outcome | undefined;
  /** What records since a moment have charged to a bucket, in their order; a run's charges may be older than its record. */
  chargedSince(since: number, bucket: Bucket): Charge[];
  /** The newest, or those up to a record; the newest first. */
  newest(limit: number, upTo?: number): AuditRecord[];
  /** Attempts of these numbers, and the outcomes that each of them has. */
  attemptsOf(seqs: readonly number[]): AuditRecord[];
  /** Records since a moment at which a flow rule spoke. */
  withHits(since: number): AuditRecord[];
  /** When a flow rule last spoke at one of the newest records behind this one. */
  lastHitBehind(seq: number): number | undefined;
  /** The newest first. */
  acts(limit: number): AuditRecord[];
  /** Lines of an export behind a record, up to another. */
  lines(after: number, upTo: number, limit: number): ExportedLine[];
  /** The last record before a moment, or up to a record, but of `most` records at most; what is pruned ends there. */
  lastBefore(at: number, upTo: number, most: number): (Head & { at: number }) | undefined;
  prune(upTo: number): void;
  oldestAt(): number | undefined;
  attempt(seq: number): Attempt | undefined;
  /** Behind a record, in order, parsed as they are asked for. */
  recordsBehind(seq: number): Iterable<AuditRecord>;
  hasFlow(): boolean;
  /** The flow state as it stood after record `flowAt`, 0 for before the first. */
  flowRows(): StoredRow[];
  flowAt(): number;
  saveFlow(changes: readonly RowChange[], at: number): void;
  /** The oldest first. */
  incidents(): { incident: Incident; told: Told }[];
  /** Of those that can't be read too. */
  incidentIds(): string[];
  saveIncident(incident: Incident, told: Told): void;
  dropIncident(id: string): void;
  runs(): [key: string, run: Run][];
  saveRun(key: string, run: Run): void;
  dropRun(key: string): void;
}

/** Its tables come to be with the first state saved: an object that is only asked, or whose chain is over, stores nothing. */
export function createStore(sql: SqlStorage): Store {
  const found = new Map(
    sql
      .exec("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
      .toArray()
      .map((row) => tableRow.parse(row))
      .map((table) => [table.name, table.sql]),
  );
  let exists = found.has("state");
  const begin = () => {
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
  if (exists && !isCurrent()) begin();
  const select = (query: string, ...values: (string | number)[]) =>
    exists ? sql.exec(query, ...values) : [];
  const named = new Set<string>();
  // Once for each table: many rows may be of a later release.
  const tell = (table: string) => (error: unknown) => {
    if (!named.has(table)) logUnreadable(table, error);
    named.add(table);
  };
  const read = (row: unknown) => readRecord(row, tell("records"));
  function* parsed(query: string, ...values: (string | number)[]) {
    for (const row of select(query, ...values)) {
      const record = read(row);
      if (record !== undefined) yield record;
    }
  }
  const records = (query: string, ...values: (string | number)[]) => [...parsed(query, ...values)];
  // An attempt's number stands in nothing but its outcome; the cheap test comes first.
  const outcomesOf = (attempt: number) =>
    records(
      `SELECT text FROM records WHERE seq > ?1 AND seq <= ?1 + ${OUTCOME_WITHIN}
         AND CASE WHEN text LIKE '%"kind":"outcome"%' AND json_valid(text) THEN text ->> 'attempt' END = ?1 ORDER BY seq LIMIT 1`,
      attempt,
    );
  const one = (query: string, ...values: (string | number)[]) => [...select(query, ...values)][0];
  /** Number of the oldest or the newest record; undefined where there is none. */
  const bound = (order: "ASC" | "DESC") =>
    seqRow.parse(one(`SELECT seq FROM records ORDER BY seq ${order} LIMIT 1`))?.seq;
  /**
   * Number of the last record that is not younger than a moment; 0 where none is so old. A search by halves: numbers have
   * no gaps and times never go back, and an index by time would cost a write a record.
   */
  const lastAt = (moment: number): number => {
    let [low, high] = [(bound("ASC") ?? 1) - 1, bound("DESC") ?? 0];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const at = timeRow.parse(one("SELECT at FROM records WHERE seq = ?", middle))?.at ?? Infinity;
      if (at <= moment) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    state() {
      const row = one("SELECT text FROM state");
      if (row === undefined) return undefined;
      const { data, error } = stateRow(stateSchema).safeParse(row);
      if (data !== undefined) return data.text;
      tell("state")(error);
      return stateRow(leastState).safeParse(row).data?.text ?? "unreadable";
    },
    saveState(state) {
      if (!exists) begin();
      sql.exec("INSERT OR REPLACE INTO state (id, text) VALUES (1, ?)", JSON.stringify(state));
    },
    last() {
      const row = one("SELECT seq, at, hash FROM records ORDER BY seq DESC LIMIT 1");
      return row === undefined ? undefined : linkRow.parse(row);
    },
    append: (at, text, { seq, hash }) =>
      void sql.exec("INSERT INTO records (seq, at, text, hash) VALUES (?, ?, ?, ?)", seq, at, text, hash),
    chargedSince: (since, bucket) =>
      // Three numbers of each record, and not the record: an object that comes back to memory has many to look at.
      [
        ...select(
          `SELECT at, text ->> 'weight' AS weight, text ->> 'charges' AS charges FROM records
           WHERE seq > ? AND CASE WHEN json_valid(text) THEN text ->> 'bucket' END = ? ORDER BY seq`,
          lastAt(since),
          bucket,
        ),
      ].flatMap((row) => {
        const { success, data, error } = chargedRow.safeParse(row);
        if (!success) {
          tell("records")(error);
          // At least one call was charged by it.
          return [{ at: z.int().parse(row["at"]), weight: 1 }];
        }
        const { at, weight, charges } = data;
        return charges?.map(([then, each]) => ({ at: then, weight: each })) ?? [{ at, weight: weight ?? 0 }];
      }),
    newest: (limit, upTo = Number.MAX_SAFE_INTEGER) =>
      records("SELECT text FROM records WHERE seq <= ? ORDER BY seq DESC LIMIT ?", upTo, limit),
    attemptsOf(seqs) {
      const attempts = records(
        "SELECT text FROM records WHERE seq IN (SELECT value FROM json_each(?))",
        JSON.stringify(seqs),
      );
      const outcomes = attempts.flatMap((record) =>
        record.kind === "attempt" && record.decision === ADMITTED ? outcomesOf(record.seq) : [],
      );
      return [...attempts, ...outcomes];
    },
    outcomeOf: (attempt) => outcomesOf(attempt).find((record) => record.kind === "outcome"),
    attemptsSince: (moment) =>
      [
        ...select(
          `SELECT seq, text ->> 'name' AS name, text ->> 'correlation_id' AS correlation_id
           FROM (SELECT seq, at, text FROM records ORDER BY seq DESC LIMIT ${RECENT})
           WHERE at > ? AND CASE WHEN json_valid(text) THEN text ->> 'kind' END = 'attempt'`,
          moment,
        ),
      ].flatMap((row) => namedRow.safeParse(row).data ?? []),
    withHits: (since) =>
      records(`SELECT text FROM records WHERE seq > ? AND ${HAS_HITS} ORDER BY seq`, lastAt(since)),
    lastHitBehind: (seq) =>
      timeRow.parse(
        one(`SELECT at FROM records WHERE seq > ? AND ${HAS_HITS} ORDER BY seq DESC LIMIT 1`, seq),
      )?.at,
    acts: (limit) =>
      records(
        "SELECT text FROM records WHERE seq IN (SELECT seq FROM acts ORDER BY seq DESC LIMIT ?) ORDER BY seq DESC",
        limit,
      ),
    lines(after, upTo, limit) {
      const range = "SELECT seq, text, hash FROM records WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?";
      return [...select(range, after, upTo, limit)].map((row) => {
        const { seq, text, hash } = exportedRow.parse(row);
        return { seq, line: exportLine(text, hash) };
      });
    },
    lastBefore(moment, upTo, most) {
      const first = bound("ASC");
      if (first === undefined) return undefined;
      const until = Math.min(Math.max(lastAt(moment - 1), upTo), first + most - 1);
      const row = one("SELECT seq, at, hash FROM records WHERE seq = ?", until);
      return row === undefined ? undefined : linkRow.parse(row);
    },
    noteAct: (seq, noteId) => void sql.exec("INSERT INTO acts (seq, note_id) VALUES (?, ?)", seq, noteId),
    actOf: (noteId) =>
      records(
        `SELECT text FROM records WHERE seq =
           (SELECT seq FROM (SELECT * FROM acts ORDER BY seq DESC LIMIT ${NOTED}) WHERE note_id = ?)`,
        noteId,
      ).find(isAct),
    prune(upTo) {
      sql.exec("DELETE FROM records WHERE seq <= ?", upTo);
      sql.exec("DELETE FROM acts WHERE seq <= ?", upTo);
    },
    oldestAt() {
      const row = one("SELECT seq, at, hash FROM records ORDER BY seq LIMIT 1");
      return row === undefined ? undefined : linkRow.parse(row).at;
    },
    attempt(seq) {
      const row = one("SELECT text FROM records WHERE seq = ?", seq);
      const record = row === undefined ? undefined : read(row);
      return record?.kind === "attempt" ? record : undefined;
    },
    recordsBehind: (seq) => parsed("SELECT text FROM records WHERE seq > ? ORDER BY seq", seq),
    hasFlow: () => one("SELECT 1 FROM flow_state LIMIT 1") !== undefined,
    flowRows: () =>
      [...select("SELECT key, text FROM flow_state")].map((row) => ({
        key: z.string().parse(row["key"]),
        // Undefined where it is no JSON, which no part of the state can read.
        value: textRow.safeParse(row).data?.text,
      })),
    flowAt: () => z.int().parse(one("SELECT seq FROM flow_at")?.["seq"] ?? 0),
    saveFlow(changes, at) {
      for (const { key, value } of changes) {
        if (value === undefined) sql.exec("DELETE FROM flow_state WHERE key = ?", key);
        else
          sql.exec("INSERT OR REPLACE INTO flow_state (key, text) VALUES (?, ?)", key, JSON.stringify(value));
      }
      sql.exec("INSERT OR REPLACE INTO flow_at (id, seq) VALUES (1, ?)", at);
    },
    incidents: () =>
      readableRows("incidents", select("SELECT text, told FROM incidents ORDER BY rowid"), incidentRow).map(
        ({ text, told }) => ({ incident: text, told }),
      ),
    incidentIds: () => [...select("SELECT id FROM incidents")].map((row) => z.string().parse(row["id"])),
    saveIncident: (incident, told) =>
      void sql.exec(
        `INSERT INTO incidents (id, text, told) VALUES (?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET text = excluded.text, told = excluded.told`,
        incident.id,
        JSON.stringify(incident),
        told,
      ),
    dropIncident: (id) => void sql.exec("DELETE FROM incidents WHERE id = ?", id),
    runs: () =>
      readableRows("runs", select("SELECT key, text FROM runs"), runRow).map(({ key, text }) => [key, text]),
    saveRun: (key, run) =>
      void sql.exec("INSERT OR REPLACE INTO runs (key, text) VALUES (?, ?)", key, JSON.stringify(run)),
    dropRun: (key) => void sql.exec("DELETE FROM runs WHERE key = ?", key),
  };
}

/** In a text of somebody else's, each quotation mark has a backslash before it. Word for word as its index has it. */
const HAS_HITS = `instr(text, '"hits":[{') > 0`;
/** Records at which a rule spoke, which are few. */
const HITS_INDEX = `CREATE INDEX IF NOT EXISTS records_with_hits ON records (seq) WHERE ${HAS_HITS}`;

/** Records behind an attempt among which its outcome is looked for, the nearest first: calls that run side by side are few. */
const OUTCOME_WITHIN = 200;

/** Newest records among which a call that is sent again is looked for, when its object comes back to memory. */
const RECENT = 512;
/** Newest decisions and changes among which one that is sent again is looked for. */
const NOTED = 100;

const namedRow = z.object({ seq: z.int(), name: z.string(), correlation_id: z.string() });
const chargedRow = z.object({
  at: z.int(),
  weight: z.int().nullable(),
  charges: jsonText.pipe(repeatsSchema.shape.charges).nullable(),
});
const timeRow = z.object({ at: z.int() }).optional();
const seqRow = z.object({ seq: z.int() }).optional();
const textRow = z.object({ text: jsonText });
