import { type Decision, isRefused, strictest } from "../../detection/decision.ts";
import { policyInForce } from "../../policy/bundled.ts";
import type { AdmissionRequest, FlowRefusal } from "../admission.ts";
import { kindOf } from "../caller-incidents.ts";
import type { Incident } from "../../incidents/incident-record.ts";
import type { CallerState } from "../state.ts";
import { type Attempt, BY_FORM, type IncidentDecision } from "../audit/records.ts";

// What the flow rules' decisions come to for one principal: refusals, incidents, and what people decide about
// them. Nothing here waits.

/** Milliseconds to wait where a throttle names no time. */
const THROTTLE_MS = 60_000;

/** Who decided, and for those who look at it later, why. */
export interface Decider {
  by: string;
  note: string | null;
  /** Names the request, so that what it asks for is done once if it is sent again. */
  noteId?: string;
}

/** What a person decided about an incident. */
export interface PersonsDecision extends Decider {
  incident: string;
  decision: IncidentDecision;
}

/** Judges a call before it runs; an accepted form lets a write go on that would have been asked about. */
export function judgeCall(parts: CallerState, request: AdmissionRequest, now: number): Decision {
  const { log, flow, incidents, nonces } = parts;
  const decision = flow.admit(request, (log.head?.seq ?? 0) + 1, now);
  const { agreed } = request;
  if (decision.verdict !== "confirm" || agreed === undefined || !isAboutWrites(decision)) return decision;
  // Who agreed had not seen what was read after they were asked.
  if (flow.isTaintedSince(agreed.askedAt)) return decision;
  const { nonce, expiresAt } = agreed;
  const requestId = request.attempt.correlation_id;
  if (nonces.consume({ keyId: "form", nonce, expiresAt, requestId }, now).status !== "fresh") return decision;

  const rules = decision.hits.filter(asksPerson).map(({ rule }) => rule);
  for (const each of incidents.waiting(true, now)) incidents.decide(each, "released", BY_FORM, null, now);
  // Of this one attempt, whose record comes next: nothing is released for a time.
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
  return flow.admitReleased(request, seq + 1, rules, now);
}

/** Notes a decision's incidents, of which a call that waits for others in flight makes none; gives what the caller is refused with. */
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
 * The refusal that a record tells of, for a request that was sent again; undefined where no rule refused it. A throttle's own
 * wait is not in the record.
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

/** What is decided together with an open incident of that id, itself first; none where it is not open. */
export function decidedWith(
  { incidents }: Pick<CallerState, "incidents">,
  id: string,
  now: number,
): Incident[] {
  const incident = incidents.find(id);
  if (incident?.status !== "open") return [];
  // Work that a person was asked about passes all the rules that asked, or none.
  if (incident.verdict !== "confirm") return [incident];
  const waiting = incidents.waiting(kindOf(incident.rule) === "taint", now);
  return [incident, ...waiting.filter((each) => each.id !== id)];
}

/**
 * Releases, declines or closes an incident, and with it those that wait for the same answer; undefined where there is
 * none open of that id. Closing says that somebody has looked: it lets nothing through, and those that wait go on waiting.
 */
export function decideIncident(
  parts: CallerState,
  { incident: id, decision, ...decider }: PersonsDecision,
  now: number,
): Incident | undefined {
  const together = decidedWith(parts, id, now);
  return settleIncidents(parts, decision === "closed" ? together.slice(0, 1) : together, {
    ...decider,
    decision,
    incident: id,
    now,
  })[0];
}

/**
 * Lets a caller go on past a rule that stops it, or past all of them (null): a block that stands, and every open
 * incident in which calls were refused. Gives the rules; none where nothing stops the caller.
 */
export function releaseCaller(
  parts: CallerState,
  { rule, ...decider }: Decider & { rule: string | null },
  now: number,
): string[] {
  const isMeant = (id: string) => rule === null || rule === id;
  const block = parts.flow.blockedBy(now);
  const open = parts.incidents.open().filter((each) => each.verdict !== "flag" && isMeant(each.rule));
  const standing = block !== undefined && isMeant(block) ? [block] : [];
  const rules = [...new Set([...standing, ...open.map((each) => each.rule)])];
  if (rules.length > 0)
    settleIncidents(parts, open, { ...decider, decision: "released", incident: null, rules, now });
  return rules;
}

interface Settled extends Decider {
  decision: IncidentDecision;
  /** Which of them the person looked at. */
  incident: string | null;
  /** Those of the incidents where not given. */
  rules?: string[];
  now: number;
}

/** One record for all of them. Gives them as they are now. */
function settleIncidents(
  { log, flow, incidents }: CallerState,
  all: readonly Incident[],
  { decision, incident, by, note, noteId, now, rules = [...new Set(all.map(({ rule }) => rule))] }: Settled,
): Incident[] {
  if (rules.length === 0) return [];
  const isReleased = decision === "released";
  const { minutes, allowance: agreed } = policyInForce().confirmation;
  const until = isReleased ? now + minutes * 60_000 : now;
  const allowance = isReleased ? agreed : 0;
  // What is refused after it is no repetition of what was refused before.
  log.closeRuns(now, "all");
  if (isReleased) for (const rule of rules) flow.release({ rule, subject: null, at: now, until, allowance });
  const decided = all.map((each) => incidents.decide(each, decision, by, note, now));
  log.append({ kind: "decision", decision, rules, incident, by, until, allowance, note }, now, noteId);
  return decided;
}

type Hit = Decision["hits"][number];

const asksPerson = ({ mode, verdict }: Hit): boolean => mode === "enforce" && verdict === "confirm";

/** Whether all that a decision asks a person about is a write after text that reads like an instruction. */
const isAboutWrites = ({ hits }: Decision): boolean =>
  hits.every((hit) => !asksPerson(hit) || kindOf(hit.rule) === "taint");
