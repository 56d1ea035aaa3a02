import * as z from "zod";
import { jsonText } from "../database/json-text.ts";
import { readableRows } from "../telemetry/readable-rows.ts";
import { type Incident, incidentSchema } from "./incident-record.ts";

// The SQL over the incidents in D1. src/caller/store has the SQL of the caller's object, which writes them.

const ID = /^[A-Za-z0-9_-]{22}$/;
const DROPPED_MAX = 100;
export const COLUMNS = Object.keys(incidentSchema.shape).join(", ");
export const rowSchema = incidentSchema.extend({
  events: jsonText.pipe(z.array(z.int())),
});

/** Writes an incident to D1, over an earlier state of it. */
export async function writeIncident(db: D1Database, incident: Incident): Promise<void> {
  await upsert(db, incident).run();
}

/**
 * Writes an incident, and closes the principal's open incidents that its object no longer keeps, because nobody can decide
 * those. It closes them each time, so that none stays open after a failure or a restored database.
 */
export async function writeAndCloseDropped(
  db: D1Database,
  incident: Incident,
  kept: readonly string[],
  now: number,
): Promise<void> {
  await db.batch([upsert(db, incident), close(db, incident.principal, kept, now)]);
}

/** Closes a principal's open incidents that its object does not keep, before the object deletes itself. */
export async function closeDropped(
  db: D1Database,
  principal: string,
  kept: readonly string[],
  now: number,
): Promise<void> {
  await close(db, principal, kept, now).run();
}

function upsert(db: D1Database, incident: Incident): D1PreparedStatement {
  const columns = Object.keys(incident);
  const places = columns.map((_, index) => `?${index + 1}`);
  const changes = columns.filter((name) => name !== "id").map((name) => `${name} = excluded.${name}`);
  return db
    .prepare(
      `INSERT INTO incidents (${columns.join(", ")}) VALUES (${places.join(", ")})
       ON CONFLICT (id) DO UPDATE SET ${changes.join(", ")}`,
    )
    .bind(...Object.values({ ...incident, events: JSON.stringify(incident.events) }));
}

const close = (db: D1Database, principal: string, kept: readonly string[], now: number) =>
  db
    .prepare(
      `UPDATE incidents SET status = 'closed', decided_at = ?3
       WHERE principal = ?1 AND status = 'open' AND id NOT IN (SELECT value FROM json_each(?2))`,
    )
    .bind(principal, JSON.stringify(kept), now);

/** Deletes some incidents, of any caller, that were decided or closed before a moment. */
export async function dropDecided(db: D1Database, before: number): Promise<void> {
  await db
    .prepare(
      `DELETE FROM incidents WHERE id IN
         (SELECT id FROM incidents WHERE decided_at < ? ORDER BY decided_at LIMIT ${DROPPED_MAX})`,
    )
    .bind(before)
    .run();
}

/** Returns undefined if there is no incident with that id. */
export async function findIncident(db: D1Database, id: string): Promise<Incident | undefined> {
  if (!ID.test(id)) return undefined;
  const row = await db.prepare(`SELECT ${COLUMNS} FROM incidents WHERE id = ?`).bind(id).first();
  return row === null ? undefined : readableRows("incidents", [row], rowSchema)[0];
}
