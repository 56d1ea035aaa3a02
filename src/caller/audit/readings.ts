import * as z from "zod";
import { type Page, type Position, pageOf } from "../../database/page.ts";
import { SHARED } from "../../detection/event.ts";
import { isPersonal } from "../../detection/labels.ts";
import { DAY } from "../../detection/window.ts";
import type { AnsweredCall } from "./answered-calls.ts";

// The table `readings` says who read which customer, by day, so that a person's question is answered without reading every
// chain. It is written with the anchor of a chain, after the answers.

const DROPPED_MAX = 500;

/** One answered call: the number and time of its outcome, the tool or resource, and the tokens of the people in the answer. */
type Reading = [seq: number, at: number, call: string, subjects: readonly string[]];

/** Returns the reading of a call whose answer held people's data; undefined if it held none. */
export function readingOf({ attempt, outcome }: AnsweredCall): Reading | undefined {
  const { name, roles, flow: asked } = attempt;
  const { seq, at, flow } = outcome;
  // A call that was counted for several callers is in the chain of the one who made it.
  if (asked === null || !isPersonal(asked) || roles.includes(SHARED)) return undefined;
  if (flow === null || flow.missed) return undefined;
  const subjects = [...new Set([...asked.subjects, ...flow.subjects])];
  return subjects.length > 0 ? [seq, at, name, subjects] : undefined;
}

/**
 * Folds readings of a caller into the rows of each day. Run it in the batch that writes the anchor, before the anchor: records
 * up to the anchor in D1 are folded already, and are skipped.
 */
export const foldReadings = (
  db: D1Database,
  { principal, started_at }: { principal: string; started_at: number },
  readings: readonly Reading[],
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO readings (subject, day, principal, call, times, first_at, last_at)
       SELECT s.value, at / ${DAY}, ?1, call, count(*), min(at), max(at)
       FROM (SELECT value ->> 0 AS seq, value ->> 1 AS at, value ->> 2 AS call, value -> 3 AS people FROM json_each(?3)) r,
         json_each(r.people) s
       WHERE seq > coalesce((SELECT seq FROM audit_anchors WHERE principal = ?1 AND started_at = ?2), 0)
         AND at > coalesce((SELECT e.at FROM erasures e WHERE subject = s.value), 0)
       GROUP BY 1, 2, 4
       ON CONFLICT DO UPDATE SET times = times + excluded.times, last_at = excluded.last_at`,
    )
    .bind(principal, started_at, JSON.stringify(readings));

const readingRow = z.object({
  principal: z.string(),
  call: z.string(),
  times: z.int(),
  first_at: z.int(),
  last_at: z.int(),
});

const listedRow = readingRow.extend({ seq: z.int() });

/** Returns a page of the readings of a customer, the latest row first. */
export async function pageOfReadings(
  db: D1Database,
  subject: string,
  { after, size }: { after: Position | undefined; size: number },
): Promise<Page<z.output<typeof readingRow>>> {
  const { results } = await db
    .prepare(
      "SELECT * FROM readings WHERE subject = ?1 AND (?2 IS NULL OR seq < ?2) ORDER BY seq DESC LIMIT ?3",
    )
    .bind(subject, after?.[0] ?? null, size + 1)
    .all();
  const { rows, next } = pageOf(z.array(listedRow).parse(results), size, ({ seq }) => [seq, 0]);
  return { rows: z.array(readingRow).parse(rows), next };
}

/** Deletes a customer's readings, and notes that, so that none is folded later. Returns the number of rows. */
export async function eraseReadings(
  db: D1Database,
  subject: string,
  by: string,
  now: number,
): Promise<number> {
  const [, erased] = await db.batch([
    db
      .prepare(
        "INSERT INTO erasures (subject, at, erased_by) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET at = ?2, erased_by = ?3",
      )
      .bind(subject, now, by),
    db.prepare("DELETE FROM readings WHERE subject = ?").bind(subject),
  ]);
  return erased?.meta.changes ?? 0;
}

/** Deletes some rows, of any customer, of the days before a moment. */
export async function dropReadings(db: D1Database, before: number): Promise<void> {
  const drop = (table: string, column: string, bound: number) =>
    db
      .prepare(
        `DELETE FROM ${table} WHERE rowid IN
           (SELECT rowid FROM ${table} WHERE ${column} < ? ORDER BY ${column} LIMIT ${DROPPED_MAX})`,
      )
      .bind(bound);
  await db.batch([drop("readings", "day", Math.floor(before / DAY)), drop("erasures", "at", before)]);
}
