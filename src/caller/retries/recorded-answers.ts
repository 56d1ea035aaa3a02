import {
  type AdmissionAnswer,
  type AdmissionRequest,
  type SettlementAnswer,
  firstRefusal,
  heard,
} from "../admission.ts";
import { recordedRefusal } from "../detection/decisions.ts";
import type { CallerState } from "../state.ts";
import { ADMITTED, type Attempt, type Outcome } from "../audit/records.ts";
import { fitsAt } from "../rate/sliding-window.ts";

// What a request was answered that is sent again because its answer was lost, as the records tell it. Changes nothing.

/** `attempt` is the call's record, or the first of the run of refusals in which the call was counted. */
export function recordedAnswer(
  parts: CallerState,
  { refused, limit, attempt: { bucket, weight, flow: asked } }: AdmissionRequest,
  { seq, at, decision, hits, flow }: Attempt,
  now: number,
): AdmissionAnswer {
  if (decision === ADMITTED) {
    const isShrunk = asked !== null && flow !== null && flow.unnamed.objects < asked.unnamed.objects;
    return { admitted: true, seq, ...(isShrunk && { pageMax: flow.unnamed.objects }), ...heard(hits) };
  }
  const local = firstRefusal(refused, false);
  if (local !== undefined && local.stage !== "rate" && local.code === decision)
    return { admitted: false, stage: local.stage };
  const refusal = recordedRefusal(parts, { hits, at });
  if (refusal !== undefined) return { admitted: false, stage: "flow", refusal, ...heard(hits) };
  const freeAt = fitsAt(parts.windows.window(bucket, limit.windowMs, now), weight, limit, now);
  return { admitted: false, stage: "rate", retryAfterMs: Math.max(1, freeAt - Date.now()) };
}

export function recordedSettlement(parts: CallerState, { withheld, hits, at }: Outcome): SettlementAnswer {
  if (withheld === null) return { given: true, ...heard(hits) };
  const refusal = recordedRefusal(parts, { hits, at }) ?? { verdict: "block" };
  return { given: false, refusal, ...heard(hits) };
}
