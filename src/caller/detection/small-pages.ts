import { type Decision, isRefused } from "../../detection/decision.ts";
import { type AdmissionRequest, shrink } from "../admission.ts";
import { judgeCall } from "./decisions.ts";
import type { CallerState } from "../state.ts";

type Attempt = AdmissionRequest["attempt"];

interface Judged {
  decision: Decision;
  /** The attempt for the audit. */
  attempt: Attempt;
  pageMax?: number;
}

/**
 * Judges a call before it runs. If a page would be throttled, it is judged again as the small page that the rules always
 * allow, so that callers who share a busy address get a few products instead of a refusal.
 */
export function judgePage(caller: CallerState, request: AdmissionRequest, now: number): Judged {
  const { attempt } = request;
  const decision = judgeCall(caller, request, now);
  if (decision.verdict !== "throttle" || request.isPaged !== true) return { decision, attempt };
  const pageMax = caller.flow.spares(attempt);
  if (pageMax === undefined) return { decision, attempt };
  const small = shrink(attempt, pageMax);
  const again = judgeCall(caller, { ...request, attempt: small }, now);
  return isRefused(again.verdict) ? { decision, attempt } : { decision: again, attempt: small, pageMax };
}
