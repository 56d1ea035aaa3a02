import { randomBytes } from "node:crypto";
import * as z from "zod";
import type { Hit } from "../detection/decision.ts";
import type { Rule } from "../detection/rules.ts";

/** A rule that speaks again within this of the last time adds to its open incident. */
export const SAME_MS = 60 * 60 * 1000;
/** Incidents that an object keeps, 10 KiB in memory. Those that are missed least go. */
export const INCIDENTS_MAX = 16;

/** Stands in the place of a rule in the incident that tells of an audit that is pruned before its retention is over. */
export const AUDIT_FULL = "audit-full";

/** Not strict: after a rollback there may be fields of a later release. */
export const incidentSchema = z.object({
  id: z.string(),
  principal: z.string(),
  rule: z.string(),
  rule_version: z.int(),
  verdict: z.enum(["flag", "throttle", "confirm", "block"]),
  severity: z.enum(["low", "medium", "high", "critical"]),
  tool: z.string(),
  observed: z.number(),
  threshold: z.number(),
  window_ms: z.number(),
  events: z.array(z.int()),
  first_at: z.int(),
  last_at: z.int(),
  count: z.int(),
  status: z.enum(["open", "released", "declined", "closed"]),
  decided_by: z.string().nullable(),
  decided_at: z.int().nullable(),
  note: z.string().nullable(),
  /** Names the call that the rule last spoke at; null in incidents of earlier releases. */
  correlation_id: z.string().nullable().default(null),
});
export type Incident = z.output<typeof incidentSchema>;

/** The call that a rule spoke at. */
export interface SpokenAt {
  principal: string;
  tool: string;
  /** Null where no call is meant. */
  correlationId: string | null;
}
type Spoken = SpokenAt & { kind: Rule["kind"] | undefined };

/** A new incident, or the open one of the same rule with one more; and whether that has to be told. */
export function noteHit(
  known: readonly Incident[],
  hit: Hit,
  { kind, ...call }: Spoken,
  now: number,
): { incident: Incident; isNews: boolean } | undefined {
  const { rule, version, verdict, observed, threshold, window, events } = hit;
  if (hit.mode !== "enforce" || verdict === "allow") return undefined;
  const { principal, tool, correlationId: correlation_id } = call;
  const seen = { tool, correlation_id, observed, threshold, window_ms: window, events, last_at: now };
  const open = known.find(
    (each) =>
      each.rule === rule &&
      each.rule_version === version &&
      each.status === "open" &&
      now - each.last_at < SAME_MS,
  );
  if (open !== undefined) {
    const count = open.count + 1;
    // Told whenever it has doubled: a flood of one rule must not become a flood of messages.
    return { incident: { ...open, ...seen, count }, isNews: Number.isInteger(Math.log2(count)) };
  }
  const incident: Incident = {
    id: randomBytes(16).toString("base64url"),
    principal,
    rule,
    rule_version: version,
    verdict,
    severity: rule === AUDIT_FULL ? "high" : severityOf(verdict, kind),
    ...seen,
    first_at: now,
    count: 1,
    status: "open",
    decided_by: null,
    decided_at: null,
    note: null,
  };
  return { incident, isNews: true };
}

/** Earlier open incidents of the same rule, closed: one of a rule is open at a time, whatever its version. */
export const closeStale = (known: readonly Incident[], { id, rule }: Incident, now: number): Incident[] =>
  known
    .filter((each) => each.rule === rule && each.status === "open" && each.id !== id)
    .map((each) => ({ ...each, status: "closed", decided_at: now }));

function severityOf(verdict: Incident["verdict"], kind: Rule["kind"] | undefined): Incident["severity"] {
  if (kind === "canary") return "critical";
  if (verdict === "block") return "high";
  return verdict === "flag" ? "low" : "medium";
}
