import { type Decision, isRefused } from "../flow/decision.ts";
import { policyInForce } from "../policy/bundled.ts";
import type { AdmissionRequest, FlowRefusal } from "./admission.ts";
import { kindOf } from "./incident-log.ts";
import type { Incident } from "./incidents.ts";
import type { Parts } from "./parts.ts";

// What the flow rules' decisions come to for one principal: refusals, incidents, and what people decide about
// them. Nothing here waits.

/** Milliseconds to wait where a throttle names no time. */
const THROTTLE_MS = 60_000;

/** What a person decided about an incident. `note` is for those who look at it later. */
export interface PersonsDecision {
  incident: string;
  release: boolean;
  by: string;
  note: string | null;
}

/** Judges a call before it runs; an accepted form lets a write go on that would have been asked about. */
export function judgeCall(parts: Parts, request: AdmissionRequest, now: number): Decision {
  const { log, flow, incidents, nonces } = parts;
  const decision = flow.admit(request, (log.head?.seq ?? 0) + 1, now);
  const { agreed } = request;
  if (decision.verdict !== "confirm" || agreed === undefined || !isAboutWrites(decision)) return decision;
  // Who agreed had not seen what was read after they were asked.
  if (flow.isTaintedSince(agreed.askedAt)) return decision;
  const { nonce, expiresAt } = agreed;
  if (nonces.consume({ keyId: "form", nonce, expiresAt }, now).status !== "fresh") return decision;

  const rules = decision.hits.filter(asksPerson).map(({ rule }) => rule);
  // For this call alone.
  const released = { at: now, until: now + 1, allowance: 0 };
  for (const rule of rules) flow.release({ rule, subject: null, ...released });
  for (const each of incidents.waiting(true, now)) incidents.decide(each, "released", BY_FORM, null, now);
  const { until, allowance } = released;
  const seq = log.append(
    { kind: "decision", decision: "released", rules, incident: null, by: BY_FORM, until, allowance },
    now,
  );
  return flow.admit(request, seq + 1, now);
}

const BY_FORM = "principal";

/** Notes a decision's incidents; gives what the caller is refused with. */
export function noteDecision(
  { log, incidents }: Parts,
  decision: Decision,
  tool: string,
  now: number,
): FlowRefusal | undefined {
  if (decision.hits.length === 0) return undefined;
  const noted = incidents.note(decision, log.state?.principal ?? "", tool, now);
  return isRefused(decision.verdict) ? refusalOf(decision, noted, now) : undefined;
}

function refusalOf(decision: Decision, noted: readonly Incident[], now: number): FlowRefusal {
  const waiting = noted.find(({ verdict }) => verdict === "confirm");
  if (decision.verdict === "confirm" && waiting !== undefined)
    return { verdict: "confirm", incident: waiting.id, form: isAboutWrites(decision), askedAt: now };
  if (decision.verdict === "throttle")
    return { verdict: "throttle", retryAfterMs: Math.ceil(decision.retryAfterMs ?? THROTTLE_MS) };
  return { verdict: "block" };
}

/** Releases or declines an incident and those that wait with it; undefined where there is none open of that id. */
export function decideIncident(
  { log, flow, incidents }: Parts,
  { incident: id, release, by, note }: PersonsDecision,
  now: number,
): Incident | undefined {
  const incident = incidents.find(id);
  if (incident?.status !== "open") return undefined;
  const { minutes, allowance } = policyInForce().confirmation;
  const others = incidents.waiting(kindOf(incident.rule) === "taint", now).filter((each) => each.id !== id);
  const rules = [...new Set([incident, ...others].map(({ rule }) => rule))];
  const until = now + minutes * 60_000;
  // What is refused after it is no repetition of what was refused before.
  log.closeRuns(now, "all");
  for (const rule of release ? rules : []) flow.release({ rule, subject: null, at: now, until, allowance });
  const decision = release ? "released" : "declined";
  for (const each of others) incidents.decide(each, decision, by, note, now);
  const decided = incidents.decide(incident, decision, by, note, now);
  log.append({ kind: "decision", decision, rules, incident: id, by, until, allowance }, now);
  return decided;
}

type Hit = Decision["hits"][number];

const asksPerson = ({ mode, verdict }: Hit): boolean => mode === "enforce" && verdict === "confirm";

/** Whether all that a decision asks a person about is a write after text that reads like an instruction. */
const isAboutWrites = ({ hits }: Decision): boolean =>
  hits.every((hit) => !asksPerson(hit) || kindOf(hit.rule) === "taint");
