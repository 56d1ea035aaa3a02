import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import { readableRows } from "../../telemetry/readable-rows.ts";
import { type Incident, incidentSchema } from "../../incidents/incident-record.ts";
import type { Tables } from "./tables.ts";

const toldSchema = z.enum(["nobody", "database", "everybody"]);
/** Who has an incident as it is now: D1 is told first, then the webhook. */
export type Told = z.output<typeof toldSchema>;

const incidentRow = z.object({ text: jsonText.pipe(incidentSchema), told: toldSchema });

/** The incidents that the object holds: src/incidents/incident-rows.ts has those of D1. */
export interface HeldIncidents {
  /** The oldest first. */
  incidents(): { incident: Incident; told: Told }[];
  /** Of those that can't be read too. */
  incidentIds(): string[];
  saveIncident(incident: Incident, told: Told): void;
  dropIncident(id: string): void;
}

export const heldIncidents = ({ select, run }: Tables): HeldIncidents => ({
  incidents: () =>
    readableRows("incidents", select("SELECT text, told FROM incidents ORDER BY rowid"), incidentRow).map(
      ({ text, told }) => ({ incident: text, told }),
    ),
  incidentIds: () => [...select("SELECT id FROM incidents")].map((row) => z.string().parse(row["id"])),
  saveIncident: (incident, told) =>
    run(
      `INSERT INTO incidents (id, text, told) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET text = excluded.text, told = excluded.told`,
      incident.id,
      JSON.stringify(incident),
      told,
    ),
  dropIncident: (id) => run("DELETE FROM incidents WHERE id = ?", id),
});
