import { randomBytes } from "node:crypto";
import * as z from "zod";
import type { Hit } from "../detection/decision.ts";
import type { Rule } from "../detection/rules.ts";

/** A rule that matches again within this time adds to its open incident. */
export const SAME_MS = 60 * 60 * 1000;
/** Incidents that a caller's object keeps, 10 KiB in memory. Beyond that it drops the least important one. */
export const INCIDENTS_MAX = 16;

/** The rule name of an incident about an audit that was pruned before its retention was over. */
export const AUDIT_FULL = "audit-full";

/** Not strict, because a newer release may have stored more fields. */
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
  /** The call that the rule last matched; null in incidents of earlier releases. */
  correlation_id: z.string().nullable().default(null),
});
export type Incident = z.output<typeof incidentSchema>;

/** The call that a rule matched. */
export interface MatchedCall {
  principal: string;
  tool: string;
  /** Null if the incident is not about a call. */
  correlationId: string | null;
}
type MatchedRule = MatchedCall & { kind: Rule["kind"] | undefined };

/**
 * Adds a rule hit to the rule's open incident, or opens a new one. Returns undefined for a hit that opens none. `mustDeliver`
 * says whether D1 and the webhook must get this state.
 */
export function recordRuleHit(
  known: readonly Incident[],
  hit: Hit,
  { kind, ...call }: MatchedRule,
  now: number,
): { incident: Incident; mustDeliver: boolean } | undefined {
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
    // Delivered only when the count has doubled, so that a flood of hits is not a flood of messages.
    return { incident: { ...open, ...seen, count }, mustDeliver: Number.isInteger(Math.log2(count)) };
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
  return { incident, mustDeliver: true };
}

/** Closes the rule's other open incidents: a rule has one open at a time, whatever its version. */
export const closeStale = (known: readonly Incident[], { id, rule }: Incident, now: number): Incident[] =>
  known
    .filter((each) => each.rule === rule && each.status === "open" && each.id !== id)
    .map((each) => ({ ...each, status: "closed", decided_at: now }));

function severityOf(verdict: Incident["verdict"], kind: Rule["kind"] | undefined): Incident["severity"] {
  if (kind === "canary") return "critical";
  if (verdict === "block") return "high";
  return verdict === "flag" ? "low" : "medium";
}
