import { waitUntil } from "cloudflare:workers";
import type { AdmissionRequest, Settlement } from "../caller/admission.ts";
import { type CallerClient } from "../caller/caller-client.ts";
import { causeOf } from "../unreachable.ts";
import { RequestOver } from "../deadlines.ts";
import { isPersonal } from "../detection/labels.ts";
import { objectTokens, tokenOf, touchedBy } from "../detection/tokens.ts";
import { type Refusal, ok } from "../refusal.ts";
import type { FlowVerdict } from "../telemetry/call-record.ts";
import { detailsShown } from "../support/details.ts";
import { logSurprise } from "../telemetry/log.ts";
import type { CallResult, GuardContext, GuardedCall, Settled } from "./guarded-call.ts";
import { countForNetwork } from "./network-budget.ts";
import { UNAVAILABLE, refuseFlow, refusalOfEnd } from "./refusals.ts";
import { countForNewCaller } from "./shared-budget.ts";

/** A call that the caller's object has admitted. */
export interface AdmittedCall {
  call: GuardedCall;
  request: AdmissionRequest;
  /** The number of the attempt in the caller's audit. */
  attempt: number;
}

/**
 * Tells the caller's object what a call answered. Public answers, and refusals that answer nothing, leave without waiting.
 * Personal answers wait, and are withheld if the settlement fails. Answers that found nothing wait too, because a rule may
 * refuse them, but are given if it fails.
 */
export async function settleResult(
  context: GuardContext,
  caller: CallerClient,
  admitted: AdmittedCall,
  result: CallResult,
): Promise<Settled> {
  const { labels } = admitted.call.target;
  const settlement = settlementOf(context, admitted, result);
  const isPublic = labels === undefined || !isPersonal(labels);
  const overBudget = await countForOthers(context, admitted, settlement, isPublic);
  if (overBudget !== undefined) {
    const withheld = withheldAs(settlement, overBudget.refusal);
    if (isPublic) void settleBehind(caller, admitted, withheld);
    else await caller.settle(withheld).catch((error: unknown) => logFailure(admitted, error));
    return overBudget;
  }
  const answered = isAnswered(result.outcome);
  const mustWait = isPublic ? answered && hasMissed(result) : answered;
  if (!mustWait) return { ...ok(undefined), later: settleBehind(caller, admitted, settlement) };
  try {
    const settled = await caller.settle(settlement);
    const { verdicts } = settled;
    return { ...(settled.given ? ok(undefined) : refuseFlow(settled.refusal, context.origin)), verdicts };
  } catch (error) {
    if (!isPublic && error instanceof RequestOver) return { ok: false, refusal: refusalOfEnd(error) };
    logFailure(admitted, error);
    return isPublic ? ok(undefined) : { ok: false, refusal: UNAVAILABLE };
  }
}

/** Only "not found" can confirm a guess; the other refusals reveal nothing about the person named. */
const isAnswered = (outcome: CallResult["outcome"]): boolean => outcome === "ok" || outcome === "not_found";

const hasMissed = ({ missed, outcome }: CallResult): boolean => missed || outcome === "not_found";

function settlementOf(
  { secretKey }: GuardContext,
  { call: { target }, attempt }: AdmittedCall,
  result: CallResult,
): Settlement {
  const { outcome, records, bytes, durationMs, tainted, canary, answer } = result;
  const { labels } = target;
  const missing = objectTokens(result.missing ?? [], secretKey);
  const explained = (result.explained ?? []).map((id) => tokenOf("subject", id, secretKey));
  const shown = labels !== undefined && isPersonal(labels) ? detailsShown(answer, secretKey) : [];
  const seen = {
    missed: hasMissed(result),
    ...(missing.length > 0 && { missing }),
    ...(explained.length > 0 && { explained }),
    ...(shown.length > 0 && { shown }),
    tainted,
    canary,
  };
  return {
    attempt,
    outcome,
    records,
    bytes,
    duration_ms: Math.round(durationMs),
    flow:
      labels && isAnswered(outcome)
        ? { ...touchedBy(labels, outcome === "ok" ? "results" : "hints", answer, secretKey), ...seen }
        : null,
  };
}

/** Counts the answer against budgets that several callers share. Returns the refusal if one is used up. */
async function countForOthers(
  context: GuardContext,
  { call, request }: AdmittedCall,
  settlement: Settlement,
  isPublic: boolean,
) {
  if (isPublic) return countForNetwork(context, call, request, settlement);
  return settlement.flow === null ? undefined : countForNewCaller(context, call, request, settlement);
}

/** The settlement of an answer that is withheld: the caller has read nothing. */
const withheldAs = (settlement: Settlement, { code }: Refusal): Settlement => ({
  ...settlement,
  outcome: code,
  records: 0,
  bytes: 0,
  flow: null,
});

/** Settles while the answer leaves. Resolves to the verdicts and never rejects. */
function settleBehind(
  caller: CallerClient,
  admitted: AdmittedCall,
  settlement: Settlement,
): Promise<readonly FlowVerdict[]> {
  const later = caller.settleLater(settlement).then(
    ({ verdicts = [] }) => verdicts,
    (error: unknown) => {
      logFailure(admitted, error);
      return [];
    },
  );
  waitUntil(later);
  return later;
}

const logFailure = ({ call }: AdmittedCall, error: unknown): void =>
  logSurprise(causeOf(error), { correlation_id: call.correlationId, what: "settle" });
