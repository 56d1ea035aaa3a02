import { type Decision, isRefused } from "../../detection/decision.ts";
import { type AdmissionRequest, shrink } from "../admission.ts";
import { judgeCall } from "./decisions.ts";
import type { CallerState } from "../state.ts";

type Attempt = AdmissionRequest["attempt"];

interface Judged {
  decision: Decision;
  /** As it will stand in the audit. */
  attempt: Attempt;
  pageMax?: number;
}

/**
 * Judges a call before it runs. A page that would be throttled is judged again as the small page that the rules spare, so
 * that callers who share a busy address are answered a few products and not turned away.
 */
export function judgePage(parts: CallerState, request: AdmissionRequest, now: number): Judged {
  const { attempt } = request;
  const decision = judgeCall(parts, request, now);
  if (decision.verdict !== "throttle" || request.isPaged !== true) return { decision, attempt };
  const pageMax = parts.flow.spares(attempt);
  if (pageMax === undefined) return { decision, attempt };
  const small = shrink(attempt, pageMax);
  const again = judgeCall(parts, { ...request, attempt: small }, now);
  return isRefused(again.verdict) ? { decision, attempt } : { decision: again, attempt: small, pageMax };
}
