import type { Listed } from "../incidents/incident-list.ts";

/** Stands for the principals of a row that summarises many anonymous callers. */
const ANONYMOUS = "anon-*";

/** An incident as the admin API and the command line list it. Every value is a string or null; `origin` begins `decide_at`. */
export function shownIncident({ incident, callers }: Listed, origin: string): Record<string, string | null> {
  const { id, principal, rule, verdict, severity, tool, count, status, decided_by, last_at } = incident;
  const { observed, threshold, window_ms } = incident;
  const isAsking = callers === null && status === "open" && verdict === "confirm";
  return {
    id: callers === null ? id : null,
    last_at: `${new Date(last_at).toISOString().slice(0, 19)}Z`,
    principal: callers === null ? principal : ANONYMOUS,
    rule,
    verdict,
    severity,
    tool,
    observed: String(observed),
    threshold: String(threshold),
    window_s: String(window_ms / 1_000),
    count: String(count),
    status,
    decided_by,
    decide_at: isAsking ? `${origin}/confirm/${id}` : null,
    callers: callers === null ? null : String(callers),
  };
}
