import { type Decision, isRefused, strictest } from "../../detection/decision.ts";
import { policyInForce } from "../../policy/bundled.ts";
import type { AdmissionRequest, FlowRefusal } from "../admission.ts";
import { kindOf } from "../caller-incidents.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import type { CallerState } from "../state.ts";
import { type Attempt, BY_FORM, type IncidentDecision } from "../audit/records.ts";

// Turns the flow rules' decisions about one principal into refusals and incidents, and applies people's decisions about them.
// No function here waits.

/** Milliseconds to wait if a throttle does not say how long. */
const THROTTLE_MS = 60_000;

/** The person who decided, and a note for later readers. */
export interface Decider {
  by: string;
  note: string | null;
  /** Names the request, so that a retry is applied once. */
  noteId?: string;
}

/** A person's decision about an incident. */
export interface PersonsDecision extends Decider {
  incident: string;
  decision: IncidentDecision;
}

/** Judges a call before it runs. An accepted form lets a write go on that would otherwise need confirmation. */
export function judgeCall(caller: CallerState, request: AdmissionRequest, now: number): Decision {
  const { log, flow, incidents, nonces } = caller;
  const decision = flow.judge(request, (log.head?.seq ?? 0) + 1, now);
  const { agreed } = request;
  if (decision.verdict !== "confirm" || agreed === undefined || !isAboutWrites(decision)) return decision;
  // The person who accepted the form had not seen what was read after it was asked.
  if (flow.isTaintedSince(agreed.askedAt)) return decision;
  const { nonce, expiresAt } = agreed;
  const requestId = request.attempt.correlation_id;
  if (nonces.consume({ keyId: "form", nonce, expiresAt, requestId }, now).status !== "fresh") return decision;

  const rules = decision.hits.filter(asksPerson).map(({ rule }) => rule);
  for (const each of incidents.waiting(true, now)) incidents.decide(each, "released", BY_FORM, null, now);
  // The release covers only this attempt, whose record comes next, so it has no duration.
  const seq = log.append(
    {
      kind: "decision",
      decision: "released",
      rules,
      incident: null,
      by: BY_FORM,
      until: now,
      allowance: 0,
      note: null,
    },
    now,
  );
  return flow.judgeReleased(request, seq + 1, rules, now);
}

/**
 * Opens or updates the incidents of a decision and returns the refusal, if it is one. A call that must wait for others in
 * flight opens no incident.
 */
export function noteDecision(
  { log, incidents }: CallerState,
  decision: Decision,
  { name: tool, correlation_id: correlationId }: Pick<Attempt, "name" | "correlation_id">,
  now: number,
): FlowRefusal | undefined {
  if (decision.verdict === "allow" && decision.hits.length === 0) return undefined;
  const noted = incidents.note(decision, { principal: log.state?.principal ?? "", tool, correlationId }, now);
  return isRefused(decision.verdict) ? refusalOf(decision, noted, now) : undefined;
}

/**
 * Rebuilds the refusal of a retried request from its record; undefined if no rule refused it. The record does not hold a
 * throttle's exact wait.
 */
export function recordedRefusal(
  { incidents }: Pick<CallerState, "incidents">,
  { hits, at }: { hits: Hit[]; at: number },
): FlowRefusal | undefined {
  const enforced = hits.filter(({ mode }) => mode === "enforce");
  const verdict = strictest(enforced.map((hit) => hit.verdict));
  if (!isRefused(verdict)) return undefined;
  const noted = enforced.flatMap(({ rule }) => incidents.latestOf(rule) ?? []);
  return refusalOf({ verdict, hits }, noted, at);
}

function refusalOf(decision: Decision, noted: readonly Incident[], now: number): FlowRefusal {
  const waiting = noted.find(({ verdict }) => verdict === "confirm");
  if (decision.verdict === "confirm" && waiting !== undefined)
    return { verdict: "confirm", incident: waiting.id, form: isAboutWrites(decision), askedAt: now };
  if (decision.verdict === "throttle")
    return { verdict: "throttle", retryAfterMs: Math.ceil(decision.retryAfterMs ?? THROTTLE_MS) };
  return { verdict: "block" };
}

/** Returns the incidents that are decided together with an open one, that one first; none if it is not open. */
export function decidedWith(
  { incidents }: Pick<CallerState, "incidents">,
  id: string,
  now: number,
): Incident[] {
  const incident = incidents.find(id);
  if (incident?.status !== "open") return [];
  // Work that needs confirmation passes all the rules that asked, or none.
  if (incident.verdict !== "confirm") return [incident];
  const waiting = incidents.waiting(kindOf(incident.rule) === "taint", now);
  return [incident, ...waiting.filter((each) => each.id !== id)];
}

/**
 * Releases, declines or closes an incident. A release or a decline also covers the incidents that wait for the same answer;
 * closing only says that somebody has looked. Returns undefined if the incident is not open.
 */
export function decideIncident(
  caller: CallerState,
  { incident: id, decision, ...decider }: PersonsDecision,
  now: number,
): Incident | undefined {
  const together = decidedWith(caller, id, now);
  return decideTogether(caller, decision === "closed" ? together.slice(0, 1) : together, {
    ...decider,
    decision,
    incident: id,
    now,
  })[0];
}

/**
 * Releases a caller from a rule that stops it, or from all of them (null): from a block that is in force, and from every open
 * incident that refused calls. Returns the rules; none if nothing stops the caller.
 */
export function releaseCaller(
  caller: CallerState,
  { rule, ...decider }: Decider & { rule: string | null },
  now: number,
): string[] {
  const isMeant = (id: string) => rule === null || rule === id;
  const block = caller.flow.blockedBy(now);
  const open = caller.incidents.open().filter((each) => each.verdict !== "flag" && isMeant(each.rule));
  const standing = block !== undefined && isMeant(block) ? [block] : [];
  const rules = [...new Set([...standing, ...open.map((each) => each.rule)])];
  if (rules.length > 0)
    decideTogether(caller, open, { ...decider, decision: "released", incident: null, rules, now });
  return rules;
}

interface Decided extends Decider {
  decision: IncidentDecision;
  /** The incident that the person looked at. */
  incident: string | null;
  /** Defaults to the rules of the incidents. */
  rules?: string[];
  now: number;
}

/** Decides several incidents with one record. Returns their new states. */
function decideTogether(
  { log, flow, incidents }: CallerState,
  all: readonly Incident[],
  { decision, incident, by, note, noteId, now, rules = [...new Set(all.map(({ rule }) => rule))] }: Decided,
): Incident[] {
  if (rules.length === 0) return [];
  const isReleased = decision === "released";
  const { minutes, allowance: agreed } = policyInForce().confirmation;
  const until = isReleased ? now + minutes * 60_000 : now;
  const allowance = isReleased ? agreed : 0;
  // Refusals after the decision do not repeat those before it.
  log.closeRepeats(now, "all");
  if (isReleased) for (const rule of rules) flow.release({ rule, subject: null, at: now, until, allowance });
  const decided = all.map((each) => incidents.decide(each, decision, by, note, now));
  log.append({ kind: "decision", decision, rules, incident, by, until, allowance, note }, now, noteId);
  return decided;
}

type Hit = Decision["hits"][number];

const asksPerson = ({ mode, verdict }: Hit): boolean => mode === "enforce" && verdict === "confirm";

/** Whether a decision asks a person only about writes after instruction-like text. */
const isAboutWrites = ({ hits }: Decision): boolean =>
  hits.every((hit) => !asksPerson(hit) || kindOf(hit.rule) === "taint");
