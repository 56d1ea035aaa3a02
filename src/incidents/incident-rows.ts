import * as z from "zod";
import { jsonText } from "../database/json-text.ts";
import { readableRows } from "../telemetry/readable-rows.ts";
import { type Incident, incidentSchema } from "./incident-record.ts";

// The SQL over D1's incidents, which people look at; src/windows/store has that of the objects that write them.

const ID = /^[A-Za-z0-9_-]{22}$/;
const DROPPED_MAX = 100;
export const COLUMNS = Object.keys(incidentSchema.shape).join(", ");
export const rowSchema = incidentSchema.extend({
  events: jsonText.pipe(z.array(z.int())),
});

/** Writes an incident down where people look; a later state of the same one takes the place of an earlier. */
export async function writeIncident(db: D1Database, incident: Incident): Promise<void> {
  await upsert(db, incident).run();
}

/**
 * Likewise, by the object that keeps those of a principal. What it keeps no more can't be decided: what of it is open is closed
 * here, by nobody. Each time, so that no failure and no restored database leaves one open for ever.
 */
export async function writeKept(
  db: D1Database,
  incident: Incident,
  kept: readonly string[],
  now: number,
): Promise<void> {
  await db.batch([upsert(db, incident), close(db, incident.principal, kept, now)]);
}

/** Closes what is open of a principal whose object is about to end. */
export async function closeAllBut(
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

/** Deletes some of those, whosever, that were decided or closed before a moment. */
export async function dropDecided(db: D1Database, before: number): Promise<void> {
  await db
    .prepare(
      `DELETE FROM incidents WHERE id IN
         (SELECT id FROM incidents WHERE decided_at < ? ORDER BY decided_at LIMIT ${DROPPED_MAX})`,
    )
    .bind(before)
    .run();
}

/** Undefined where there is none of that id. */
export async function findIncident(db: D1Database, id: string): Promise<Incident | undefined> {
  if (!ID.test(id)) return undefined;
  const row = await db.prepare(`SELECT ${COLUMNS} FROM incidents WHERE id = ?`).bind(id).first();
  return row === null ? undefined : readableRows("incidents", [row], rowSchema)[0];
}
