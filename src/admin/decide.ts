import { CallerClient } from "../caller/caller-client.ts";
import type { Decider } from "../caller/detection/decisions.ts";
import { writeIncident } from "../incidents/incident-rows.ts";
import type { Incident } from "../incidents/incident-record.ts";
import { INCIDENT_DECISIONS, type IncidentDecision } from "../caller/audit/records.ts";

const DECISIONS: readonly string[] = INCIDENT_DECISIONS;
export const isDecision = (text: string): text is IncidentDecision => DECISIONS.includes(text);

/** Decides an incident and all that wait for the same answer. Returns false if it is no longer open. */
export async function decide(
  env: Env,
  incident: Incident,
  { decision, ...decider }: Decider & { decision: IncidentDecision },
): Promise<boolean> {
  const object = new CallerClient(env.USER_WINDOWS, incident.principal);
  const decided = await object.decide({ incident: incident.id, decision, ...decider });
  if (decided !== undefined) return true;
  // D1 keeps all incidents, the caller's object only some. One that the object has dropped can only be closed.
  if (incident.status !== "open" || decision !== "closed") return false;
  await object.noteChange({ incident: incident.id, decision, ...decider }, "before");
  await writeIncident(env.DB, {
    ...incident,
    status: "closed",
    decided_by: decider.by,
    decided_at: Date.now(),
    note: decider.note,
  });
  return true;
}
