import * as z from "zod";
import { jsonText } from "../database/json-text.ts";
import { readableRows } from "../database/readable-rows.ts";
import { type Incident, incidentSchema } from "./incidents.ts";

// The SQL over D1's incidents, which people look at; src/windows/store.ts has that of the objects that write them.

const ID = /^[A-Za-z0-9_-]{22}$/;
const PAGE = 100;
const DROPPED_MAX = 100;
const COLUMNS = Object.keys(incidentSchema.shape).join(", ");
const rowSchema = incidentSchema.extend({
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

// Word for word as the index of open ones has it (migrations/0012_retention.sql).
const GRAVITY = "CASE severity WHEN 'critical' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END";
// The gravest open ones first: callers without a name are many, and what each of them sets off would bury the rest.
const GRAVEST = `${GRAVITY}, incidents.last_at DESC, id`;
const GRAVEST_FIRST = `CASE WHEN status = 'open' THEN ${GRAVITY} ELSE 4 END, incidents.last_at DESC, id`;

/** A page of incidents, from 1 on, and of how many; open ones alone, or one principal's, where asked. */
export async function pageOfIncidents(
  db: D1Database,
  { open = false, principal = null, page = 1 }: { open?: boolean; principal?: string | null; page?: number },
): Promise<{ incidents: Incident[]; total: number; pages: number }> {
  // Written out, as no index is chosen by a value.
  const those = `${principal === null ? "?1 IS NULL" : "principal = ?1"} ${open ? "AND status = 'open'" : ""}`;
  const order = open ? GRAVEST : GRAVEST_FIRST;
  const [listed, counted] = await db.batch([
    db
      .prepare(`SELECT ${COLUMNS} FROM incidents WHERE ${those} ORDER BY ${order} LIMIT ${PAGE} OFFSET ?2`)
      .bind(principal, (page - 1) * PAGE),
    db.prepare(`SELECT count(*) AS total FROM incidents WHERE ${those}`).bind(principal),
  ]);
  const { total } = countRow.parse(counted?.results[0]);
  return {
    incidents: readableRows("incidents", listed?.results ?? [], rowSchema),
    total,
    pages: Math.max(1, Math.ceil(total / PAGE)),
  };
}
const countRow = z.object({ total: z.int() });

/** The gravest open ones first, as a table shows them; `origin` begins the links to where a person decides. */
export async function listIncidents(db: D1Database, origin: string): Promise<unknown[]> {
  const { results } = await db
    .prepare(
      `SELECT strftime('%FT%TZ', last_at / 1000, 'unixepoch') AS last_at, principal, rule, verdict, severity, tool,
         CAST(count AS TEXT) AS count, status, decided_by,
         CASE WHEN status = 'open' AND verdict = 'confirm' THEN ?1 || '/confirm/' || id END AS decide_at
       FROM incidents ORDER BY ${GRAVEST_FIRST} LIMIT ${PAGE}`,
    )
    .bind(origin)
    .all();
  return results;
}
