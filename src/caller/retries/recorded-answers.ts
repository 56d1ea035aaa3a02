import {
  type AdmissionAnswer,
  type AdmissionRequest,
  type SettlementAnswer,
  firstRefusal,
  verdictsOf,
} from "../admission.ts";
import { recordedRefusal } from "../detection/decisions.ts";
import type { CallerState } from "../state.ts";
import { ADMITTED, type Attempt, type Outcome } from "../audit/records.ts";
import { fitsAt } from "../rate/sliding-window.ts";

// Rebuilds the first answer to a retried request from the records. Changes nothing.

/** `attempt` is the call's own record, or the first of the repeats that the call was counted in. */
export function recordedAnswer(
  caller: CallerState,
  { refused, limit, attempt: { bucket, weight, flow: asked } }: AdmissionRequest,
  { seq, at, decision, hits, flow }: Attempt,
  now: number,
): AdmissionAnswer {
  if (decision === ADMITTED) {
    const isShrunk = asked !== null && flow !== null && flow.unnamed.objects < asked.unnamed.objects;
    return { admitted: true, seq, ...(isShrunk && { pageMax: flow.unnamed.objects }), ...verdictsOf(hits) };
  }
  const local = firstRefusal(refused, false);
  if (local !== undefined && local.stage !== "rate" && local.code === decision)
    return { admitted: false, stage: local.stage };
  const refusal = recordedRefusal(caller, { hits, at });
  if (refusal !== undefined) return { admitted: false, stage: "flow", refusal, ...verdictsOf(hits) };
  const freeAt = fitsAt(caller.windows.window(bucket, limit.windowMs, now), weight, limit, now);
  return { admitted: false, stage: "rate", retryAfterMs: Math.max(1, freeAt - Date.now()) };
}

export function recordedSettlement(caller: CallerState, { withheld, hits, at }: Outcome): SettlementAnswer {
  if (withheld === null) return { given: true, ...verdictsOf(hits) };
  const refusal = recordedRefusal(caller, { hits, at }) ?? { verdict: "block" };
  return { given: false, refusal, ...verdictsOf(hits) };
}
