import { ALLOWED } from "../detection/decision.ts";
import { SHARED } from "../detection/event.ts";
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  FLOW_CODES,
  firstRefusal,
  verdictsOf,
} from "./admission.ts";
import type { Anchoring } from "./audit/anchoring.ts";
import type { CountsTimer } from "./audit/counts-timer.ts";
import { ADMITTED } from "./audit/records.ts";
import { isFoldable } from "./audit/repeats.ts";
import { noteDecision } from "./detection/decisions.ts";
import { judgePage } from "./detection/small-pages.ts";
import type { IncidentDelivery } from "./incident-delivery.ts";
import { charge, fitsAt } from "./rate/sliding-window.ts";
import type { CallerState } from "./state.ts";

/** The parts of a caller's object that a decision reads and changes. */
export interface DecidingParts {
  state: CallerState;
  anchoring: Anchoring;
  counts: CountsTimer;
  delivery: IncidentDelivery;
}

/** Decides whether a call may run, charges it and records the attempt. It holds no `await`. */
export function decideCall(
  { state, anchoring, counts, delivery }: DecidingParts,
  request: AdmissionRequest,
  now: number,
): AdmissionAnswer {
  const { principal, refused, limit, retentionMs, attempt } = request;
  const { log, windows } = state;
  log.begin(principal, retentionMs, now);
  log.closeRepeats(now);
  // A call by somebody whom this principal made was already counted in that caller's own window.
  const isShared = attempt.roles.includes(SHARED);
  const window = isShared ? undefined : windows.window(attempt.bucket, limit.windowMs, now);
  const freeAt = window === undefined ? now : fitsAt(window, attempt.weight, limit, now);
  const isOverLimit = freeAt > now;
  const local = firstRefusal(refused, isOverLimit);
  const judged = local === undefined ? judgePage(state, request, now) : { decision: ALLOWED, attempt };
  const { decision, pageMax } = judged;
  const flow = noteDecision(state, decision, attempt, now);
  delivery.deliverLater();

  // A full window takes no more charges, so a flood of refusals can't make it grow. A call that must wait for others in
  // flight is charged once, when it is admitted.
  const isCharged = !isOverLimit && decision.isBusy !== true;
  const weight = isCharged ? attempt.weight : 0;
  if (isCharged && window !== undefined) charge(window, weight, now);
  anchoring.scheduleAnchor(now);
  const { hits } = decision;
  const refusedAs = local?.code ?? (flow && FLOW_CODES[flow.verdict]);
  const draft = {
    kind: "attempt",
    decision: refusedAs ?? ADMITTED,
    ...judged.attempt,
    weight,
    hits,
  } as const;
  if (refusedAs === undefined) {
    if (isFoldable(draft)) return { admitted: true, ...log.fold(draft, limit.windowMs, now) };
    const seq = log.append(draft, now);
    state.flow.checkpoint(seq, "due");
    return { admitted: true, seq, ...(pageMax !== undefined && { pageMax }), ...verdictsOf(hits) };
  }
  log.fold(draft, limit.windowMs, now);
  counts.storeSoon();
  if (local === undefined)
    return { admitted: false, stage: "flow", refusal: flow ?? { verdict: "block" }, ...verdictsOf(hits) };
  // Measured by the machine's clock, because the caller waits by real time.
  return local.stage === "rate"
    ? { admitted: false, stage: "rate", retryAfterMs: Math.max(1, freeAt - Date.now()) }
    : { admitted: false, stage: local.stage };
}
