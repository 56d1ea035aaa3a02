import type { Detector } from "./compile-rules.ts";
import { type Decision, type Hit, isRefused } from "./decision.ts";
import type { FlowCall, FlowContext, FlowResult } from "./event.ts";
import { block, judge, standingBlock } from "./judge.ts";
import { isPersonal } from "./labels.ts";
import { releaseReservation, noteAdmission, noteResult, expire, withheld } from "./note-calls.ts";
import type { Release } from "./state/releases.ts";
import type { FlowState } from "./state/state.ts";

export { type Detector, detectorOf } from "./compile-rules.ts";

/**
 * Judges a call before it runs and reserves what it may answer. A refused call reserves nothing; an admitted call must
 * be settled or abandoned. Reads the caller's history and the call's labels, never the data itself.
 */
export function admit(state: FlowState, detector: Detector, call: FlowCall, context: FlowContext): Decision {
  expire(state, detector, call.at);
  const standing = standingBlock(state, detector, call);
  if (standing !== undefined) return { verdict: "block", hits: [standing] };

  const rules = detector.watchesOf(call);
  const decision = judge(state, call, rules, (rule) => rule.before?.(state, call, context));
  block(state, call, decision.hits);
  if (!isRefused(decision.verdict)) noteAdmission(state, detector, call);
  return decision;
}

/**
 * Judges a call by its answer. If the answer holds personal data, or the call asked for something that does not exist,
 * this runs before the answer is sent: a refusal then withholds the answer and nothing in it is noted as read. Other
 * public answers have already been sent; what they used up counts against the next call.
 */
export function settle(state: FlowState, detector: Detector, call: FlowCall, result: FlowResult): Decision {
  expire(state, detector, result.at);
  releaseReservation(state, call.attempt);
  const rules = detector.watchesOf(call);
  const decision = judge(state, call, rules, (rule) => rule.after?.(state, call, result));
  block(state, call, decision.hits);
  noteResult(state, rules, call, mustWithhold(call, result, decision) ? withheld(result) : result);
  return decision;
}

/** Returns whether a refused answer must be withheld because it has not been sent yet. */
export const mustWithhold = (
  call: Pick<FlowCall, "classes">,
  { missed }: Pick<FlowResult, "missed">,
  { verdict }: Decision,
): boolean => (isPersonal(call) || missed) && isRefused(verdict);

/** Ends an admitted call that gave no answer, for example at its deadline. Nothing counts as read or as a miss. */
export function abandon(state: FlowState, detector: Detector, attempt: number, now: number): void {
  expire(state, detector, now);
  releaseReservation(state, attempt);
}

/**
 * Notes an attempt from its audit record without judging it again: the rules may have changed since, but what happened
 * has not. A state rebuilt this way decides as the original one did (test/worker/caller/replay.test.ts).
 */
export function recallAttempt(
  state: FlowState,
  detector: Detector,
  call: FlowCall,
  { isAdmitted, hits }: { isAdmitted: boolean; hits: readonly Hit[] },
): void {
  expire(state, detector, call.at);
  if (standingBlock(state, detector, call) === undefined) block(state, call, hits);
  if (isAdmitted) noteAdmission(state, detector, call);
}

/** Notes an outcome from its audit record without judging it again. */
export function recallOutcome(
  state: FlowState,
  detector: Detector,
  call: FlowCall,
  result: FlowResult,
  { isWithheld, hits }: { isWithheld: boolean; hits: readonly Hit[] },
): void {
  expire(state, detector, result.at);
  releaseReservation(state, call.attempt);
  block(state, call, hits);
  noteResult(state, detector.watchesOf(call), call, isWithheld ? withheld(result) : result);
}

/** Applies a person's decision to let calls pass a rule, and lifts the block that this rule caused, if there is one. */
export function release(state: FlowState, detector: Detector, agreed: Release): void {
  expire(state, detector, agreed.at);
  state.releases.add(agreed);
  if (state.marks.block?.rule === agreed.rule) state.marks.setBlock(undefined);
}
