// Notes calls and their answers in a caller's state.

import type { Detector } from "./compile-rules.ts";
import type { FlowCall, FlowResult } from "./event.ts";
import type { CompiledRule } from "./kinds/compiled-rule.ts";
import { missesNamed } from "./kinds/misses.ts";
import { peopleOf } from "./kinds/people.ts";
import { countNewProducts, seeProducts } from "./kinds/products.ts";
import { isPublicRead } from "./labels.ts";
import { PUBLIC_IN_FLIGHT_MAX, type PublicRead } from "./state/public-reads.ts";
import { IN_FLIGHT_MAX, type Reservation, isRetryOf, lateOf, overflowOf } from "./state/reservations.ts";
import type { FlowState } from "./state/state.ts";
import { classIndexes } from "./state/subjects.ts";

/** Removes the call from the calls in flight. */
export function releaseReservation(state: FlowState, attempt: number): void {
  state.inFlight.release(attempt);
  state.publicReads.release(attempt);
}

/**
 * Forgets expired entries and counts lost calls as answered. It runs before every other change of the state. A refused
 * call runs it too and may leave no record, so its effect must equal what the next call would have done.
 */
export function expire(state: FlowState, detector: Detector, now: number): void {
  // Settle the lost calls before pruning: they are counted among the people who were remembered when they ran.
  for (const [attempt, lost] of lateOf(state.inFlight.held, now)) settleLost(state, detector, attempt, lost);
  for (const [attempt, lost] of lateOf(state.publicReads.held, now))
    settleLost(state, detector, attempt, lost, lost);
  state.subjects.prune(now);
}

/** Notes that the call will run, and reserves what it may answer. */
export function noteAdmission(state: FlowState, detector: Detector, call: FlowCall): void {
  for (const rule of detector.watchesOf(call)) rule.admitted?.(state, call);
  if (isPublicRead(call)) state.publicReads.reserve(call, countNewProducts(state, call.objects, call.at));
  else state.inFlight.reserve(call);
  // Settle the overflow now, not at the next call: that call may be refused, and the audit keeps only a number for
  // repeated refusals.
  for (const [attempt, lost] of overflowOf(state.inFlight.held, IN_FLIGHT_MAX))
    settleLost(state, detector, attempt, lost);
  for (const [attempt, lost] of overflowOf(state.publicReads.held, PUBLIC_IN_FLIGHT_MAX))
    settleLost(state, detector, attempt, lost, lost);
}

/** Notes what a call answered, whether the answer was sent or withheld. */
export function noteResult(
  state: FlowState,
  rules: readonly CompiledRule[],
  call: FlowCall,
  result: FlowResult,
): void {
  if (isPublicRead(call)) {
    const { at, objects, records, bytes } = result;
    const products = countNewProducts(state, objects, at);
    state.usual.note(call.tool, { products, records, bytes, ms: at - call.at });
  }
  noteAnswer(state, rules, call, result);
}

function noteAnswer(
  state: FlowState,
  rules: readonly CompiledRule[],
  call: FlowCall,
  result: FlowResult,
): void {
  for (const rule of rules) rule.answered?.(state, call, result);
  const indexes = classIndexes(call.classes);
  if (indexes.length > 0) {
    for (const token of peopleOf(call, result)) state.subjects.read(token, indexes, result.at, call.attempt);
  }
  if (call.classes.includes("catalog")) seeProducts(state, result.objects, result.at);
  state.missing.see(missesNamed(call, result));
  state.shown.see(result.shown ?? [], result.at);
  if (result.tainted) state.marks.setTaint(result.at, call.attempt);
}

/** To the caller, a withheld answer looks like an empty one. The names it asked for in vain are still noted. */
export const withheld = ({ at, missing }: FlowResult): FlowResult => ({ ...emptyResult(at), missing });

const emptyResult = (at: number): FlowResult => ({
  at,
  subjects: [],
  objects: [],
  records: 0,
  bytes: 0,
  missed: true,
  tainted: false,
  canary: false,
});

/**
 * Counts a call whose settlement was lost as if it had answered all that it could: the people it named, or one unknown
 * person. A catalog read counts what such reads answered lately, and reads with equal arguments count the same
 * products. A write counts once, however often it was sent again.
 */
function settleLost(
  state: FlowState,
  detector: Detector,
  attempt: number,
  lost: Reservation,
  { named, asked }: Pick<PublicRead, "named" | "asked"> = { named: 0, asked: attempt },
): void {
  releaseReservation(state, attempt);
  for (const other of state.inFlight.held.values()) if (isRetryOf(lost, other)) return;
  const call = { ...lost, attempt, objects: [], neighbourhoods: [] };
  const somebody = lost.unnamed.subject ? [`?${attempt}`] : [];
  const { products, records, bytes } = isPublicRead(lost)
    ? state.usual.ofLost(lost, named)
    : { products: lost.unnamed.objects, ...lost.cost };
  noteAnswer(state, detector.watchesOf(lost), call, {
    ...emptyResult(lost.at),
    subjects: somebody,
    objects: Array.from({ length: products }, (_, index) => `?${asked}/${index}`),
    records,
    bytes,
    missed: false,
  });
}
