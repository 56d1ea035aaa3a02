import * as z from "zod";
import { jsonText } from "../../database/json-text.ts";
import { readableRows } from "../../telemetry/readable-rows.ts";
import { type Incident, incidentSchema } from "../../incidents/incident-record.ts";
import type { Tables } from "./tables.ts";

const deliverySchema = z.enum(["nobody", "database", "everybody"]);
/** How far an incident's latest state was delivered: to D1 first, then to the webhook. */
export type DeliveryState = z.output<typeof deliverySchema>;

const incidentRow = z.object({ text: jsonText.pipe(incidentSchema), told: deliverySchema });

/** The incidents in the object. src/incidents/incident-rows.ts has the ones in D1. */
export interface HeldIncidents {
  /** The oldest first. */
  incidents(): { incident: Incident; deliveryState: DeliveryState }[];
  /** Also ids of incidents that can't be read. */
  incidentIds(): string[];
  saveIncident(incident: Incident, deliveryState: DeliveryState): void;
  dropIncident(id: string): void;
}

export const heldIncidents = ({ select, run }: Tables): HeldIncidents => ({
  incidents: () =>
    readableRows("incidents", select("SELECT text, told FROM incidents ORDER BY rowid"), incidentRow).map(
      ({ text, told }) => ({ incident: text, deliveryState: told }),
    ),
  incidentIds: () => [...select("SELECT id FROM incidents")].map((row) => z.string().parse(row["id"])),
  saveIncident: (incident, deliveryState) =>
    run(
      `INSERT INTO incidents (id, text, told) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET text = excluded.text, told = excluded.told`,
      incident.id,
      JSON.stringify(incident),
      deliveryState,
    ),
  dropIncident: (id) => run("DELETE FROM incidents WHERE id = ?", id),
});
