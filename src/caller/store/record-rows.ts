import * as z from "zod";
import {
  ADMITTED,
  type AdminEvent,
  type Attempt,
  type AuditRecord,
  type Outcome,
  isAdminEvent,
} from "../audit/records.ts";
import { readRecord } from "../audit/stored-record.ts";
import { placesIn, timeRow } from "./places.ts";
import { HAS_HITS, type Tables, type Value } from "./tables.ts";

/** Records after an attempt that are searched for its outcome, the nearest first: few calls run in parallel. */
const OUTCOME_WITHIN = 200;
/** Newest records that are searched for a retried call after an eviction. */
const RECENT = 512;
/** Newest decisions and changes that are searched for a retried one. */
const NOTED = 100;

const namedRow = z.object({ seq: z.int(), name: z.string(), correlation_id: z.string() });

/** Records as this release reads them. */
export interface RecordRows {
  attempt(seq: number): Attempt | undefined;
  /** The attempts with these numbers, and their outcomes. */
  attemptsOf(seqs: readonly number[]): AuditRecord[];
  /** Attempts since a moment, among the newest records. */
  attemptsSince(moment: number): Pick<Attempt, "seq" | "name" | "correlation_id">[];
  /** The outcome of an attempt; undefined until it is settled. */
  outcomeOf(attempt: number): Outcome | undefined;
  /** The newest records up to one, the newest first. */
  newest(limit: number, upTo?: number): AuditRecord[];
  /** Records after one, in order, parsed lazily. */
  recordsBehind(seq: number): Iterable<AuditRecord>;
  /** Records since a moment that a flow rule matched. */
  withHits(since: number): AuditRecord[];
  /** When a flow rule last matched one of the records after this one. */
  lastHitBehind(seq: number): number | undefined;
  /** Decisions and changes, the newest first. */
  adminEvents(limit: number): AuditRecord[];
  /** Marks a record as a decision or change; `noteId` names the request that made it. */
  noteAdminEvent(seq: number, noteId: string | null): void;
  /** The record that a request made; undefined if it is not among the newest. */
  adminEventOf(noteId: string): AdminEvent | undefined;
}

export function recordRows(tables: Tables): RecordRows {
  const { select, one, run } = tables;
  const { lastAt } = placesIn(tables);
  const read = (row: unknown) => readRecord(row, tables.reportUnreadable("records"));
  function* parsed(query: string, ...values: Value[]) {
    for (const row of select(query, ...values)) {
      const record = read(row);
      if (record !== undefined) yield record;
    }
  }
  const records = (query: string, ...values: Value[]) => [...parsed(query, ...values)];
  // Only its outcome contains an attempt's number. The cheap test comes first.
  const outcomesOf = (attempt: number) =>
    records(
      `SELECT text FROM records WHERE seq > ?1 AND seq <= ?1 + ${OUTCOME_WITHIN}
         AND CASE WHEN text LIKE '%"kind":"outcome"%' AND json_valid(text) THEN text ->> 'attempt' END = ?1 ORDER BY seq LIMIT 1`,
      attempt,
    );
  return {
    attempt(seq) {
      const row = one("SELECT text FROM records WHERE seq = ?", seq);
      const record = row === undefined ? undefined : read(row);
      return record?.kind === "attempt" ? record : undefined;
    },
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
    attemptsSince: (moment) =>
      [
        ...select(
          `SELECT seq, text ->> 'name' AS name, text ->> 'correlation_id' AS correlation_id
           FROM (SELECT seq, at, text FROM records ORDER BY seq DESC LIMIT ${RECENT})
           WHERE at > ? AND CASE WHEN json_valid(text) THEN text ->> 'kind' END = 'attempt'`,
          moment,
        ),
      ].flatMap((row) => namedRow.safeParse(row).data ?? []),
    outcomeOf: (attempt) => outcomesOf(attempt).find((record) => record.kind === "outcome"),
    newest: (limit, upTo = Number.MAX_SAFE_INTEGER) =>
      records("SELECT text FROM records WHERE seq <= ? ORDER BY seq DESC LIMIT ?", upTo, limit),
    recordsBehind: (seq) => parsed("SELECT text FROM records WHERE seq > ? ORDER BY seq", seq),
    withHits: (since) =>
      records(`SELECT text FROM records WHERE seq > ? AND ${HAS_HITS} ORDER BY seq`, lastAt(since)),
    lastHitBehind: (seq) =>
      timeRow.parse(
        one(`SELECT at FROM records WHERE seq > ? AND ${HAS_HITS} ORDER BY seq DESC LIMIT 1`, seq),
      )?.at,
    adminEvents: (limit) =>
      records(
        "SELECT text FROM records WHERE seq IN (SELECT seq FROM acts ORDER BY seq DESC LIMIT ?) ORDER BY seq DESC",
        limit,
      ),
    noteAdminEvent: (seq, noteId) => run("INSERT INTO acts (seq, note_id) VALUES (?, ?)", seq, noteId),
    adminEventOf: (noteId) =>
      records(
        `SELECT text FROM records WHERE seq =
           (SELECT seq FROM (SELECT * FROM acts ORDER BY seq DESC LIMIT ${NOTED}) WHERE note_id = ?)`,
        noteId,
      ).find(isAdminEvent),
  };
}
