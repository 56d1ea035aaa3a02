import type { Incident } from "../../../src/incidents/incident-record.ts";

/** An open incident that waits for a person; a test changes the fields it is about. */
export const incidentOf = (changes: Partial<Incident> = {}): Incident => ({
  id: "incident-1",
  principal: "somebody",
  rule: "people",
  rule_version: 1,
  verdict: "confirm",
  severity: "medium",
  tool: "get_customer",
  observed: 8,
  threshold: 7,
  window_ms: 600_000,
  events: [1],
  first_at: 1,
  last_at: 1,
  count: 1,
  status: "open",
  decided_by: null,
  decided_at: null,
  note: null,
  correlation_id: "ref-1",
  ...changes,
});
