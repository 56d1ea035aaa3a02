import * as z from "zod";
import { type Incident, incidentSchema } from "../windows/incidents.ts";

const ID = /^[A-Za-z0-9_-]{22}$/;
const rowSchema = incidentSchema.extend({
  events: z
    .string()
    .transform((json): unknown => JSON.parse(json))
    .pipe(z.array(z.int())),
});

const COLUMNS = Object.keys(incidentSchema.shape).join(", ");

/** As D1 has it; undefined where there is none of that id. */
export async function findIncident(db: D1Database, id: string): Promise<Incident | undefined> {
  if (!ID.test(id)) return undefined;
  const row = await db.prepare(`SELECT ${COLUMNS} FROM incidents WHERE id = ?`).bind(id).first();
  return row === null ? undefined : rowSchema.parse(row);
}
