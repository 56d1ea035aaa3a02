import * as z from "zod";
import { type Counts, countsSchema, merge } from "./counts.ts";
import type { Bucket } from "./series.ts";

const HOUR_MS = 60 * 60 * 1000;
export const DAY_MS = 24 * HOUR_MS;
const HOURS_KEPT_MS = 30 * DAY_MS;
/** An isolate discards a delta long before this (src/telemetry/metrics/flush.ts), so none arrives twice. */
export const FORGET_MS = HOUR_MS;

// 1,500 minutes, 720 hours, one row of totals, and one for each isolate of the last hour.
const SCHEMA = `
CREATE TABLE IF NOT EXISTS totals (id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS minutes (at INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS hours (at INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS isolates (id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID;
`;

const textRow = z.object({ text: z.string() });
const bucketRow = z.object({ at: z.int(), text: z.string() });
const sequenceRow = z.object({ sequence: z.int() });

const parseCounts = (text: string): Counts => countsSchema.parse(JSON.parse(text));

/** The SQL of the metrics hub. Times are milliseconds since the epoch. */
export class HubStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(SCHEMA);
  }

  totals(): Counts {
    const [row] = this.#sql.exec("SELECT text FROM totals").toArray();
    return row === undefined ? {} : parseCounts(textRow.parse(row).text);
  }

  saveTotals(counts: Counts): void {
    this.#sql.exec("INSERT OR REPLACE INTO totals (id, text) VALUES (1, ?)", JSON.stringify(counts));
  }

  /** Returns the number of the isolate's last applied delta; 0 if there is none. */
  sequenceOf(isolate: string): number {
    const [row] = this.#sql.exec("SELECT sequence FROM isolates WHERE id = ?", isolate).toArray();
    return row === undefined ? 0 : sequenceRow.parse(row).sequence;
  }

  saveSequence(isolate: string, sequence: number, now: number): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO isolates (id, sequence, seen_at) VALUES (?, ?, ?)",
      isolate,
      sequence,
      now,
    );
  }

  minute(at: number): Counts {
    const [row] = this.#sql.exec("SELECT text FROM minutes WHERE at = ?", at).toArray();
    return row === undefined ? {} : parseCounts(textRow.parse(row).text);
  }

  saveMinute(at: number, counts: Counts): void {
    this.#sql.exec("INSERT OR REPLACE INTO minutes (at, text) VALUES (?, ?)", at, JSON.stringify(counts));
  }

  /** Returns minutes and hours from `from` up to, but not including, `to`. No minute is also part of an hour. */
  *buckets(from: number, to: number): Iterable<Bucket> {
    for (const table of ["hours", "minutes"])
      for (const row of this.#sql.exec(
        `SELECT at, text FROM ${table} WHERE at >= ? AND at < ? ORDER BY at`,
        from,
        to,
      ))
        yield bucketOf(row);
  }

  /** Combines minutes older than a day into hours, and deletes expired rows. */
  roll(now: number): void {
    const over = Math.floor((now - DAY_MS) / HOUR_MS) * HOUR_MS;
    const hours = new Map<number, Counts>();
    for (const row of this.#sql.exec("SELECT at, text FROM minutes WHERE at < ?", over)) {
      const { at, counts } = bucketOf(row);
      const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
      const into = hours.get(hour) ?? {};
      merge(into, counts);
      hours.set(hour, into);
    }
    for (const [at, counts] of hours)
      this.#sql.exec("INSERT OR REPLACE INTO hours (at, text) VALUES (?, ?)", at, JSON.stringify(counts));
    this.#sql.exec("DELETE FROM minutes WHERE at < ?", over);
    this.#sql.exec("DELETE FROM hours WHERE at < ?", now - HOURS_KEPT_MS);
    this.#sql.exec("DELETE FROM isolates WHERE seen_at < ?", now - FORGET_MS);
  }
}

function bucketOf(row: unknown): Bucket {
  const { at, text } = bucketRow.parse(row);
  return { at, counts: parseCounts(text) };
}
