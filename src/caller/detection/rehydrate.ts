import { type Detector, abandon, recallAttempt, recallOutcome, release } from "../../detection/detector.ts";
import type { FlowCall } from "../../detection/event.ts";
import type { FlowState } from "../../detection/state/state.ts";
import { toFlowCall } from "./call-event.ts";
import { ADMITTED, releasedAttempt } from "../audit/records.ts";
import type { Store } from "../store.ts";

/**
 * Replays records into a flow state, after `after` and up to `upTo`. Repeated refusals are recorded only as a number, which
 * suffices: a refused call changes nothing in the state but the block, and its first refusal records that.
 */
export function rehydrate(
  state: FlowState,
  detector: Detector,
  store: Store,
  after: number,
  upTo = Infinity,
): void {
  const open = new Map<number, FlowCall | undefined>();
  // The attempt may have been admitted before the state was stored.
  const earlier = (seq: number) => {
    const attempt = store.attempt(seq);
    return attempt && toFlowCall(attempt);
  };
  for (const record of store.recordsBehind(after)) {
    if (record.seq > upTo) break;
    if (record.kind === "attempt") {
      const call = toFlowCall(record);
      open.set(record.seq, call);
      const { decision, hits } = record;
      if (call !== undefined)
        recallAttempt(state, detector, call, { isAdmitted: decision === ADMITTED, hits });
    } else if (record.kind === "outcome") {
      const call = open.has(record.attempt) ? open.get(record.attempt) : earlier(record.attempt);
      const { at, records, bytes, flow, withheld, hits } = record;
      if (call === undefined) continue;
      if (flow === null) {
        abandon(state, detector, call.attempt, at);
        continue;
      }
      const isWithheld = withheld !== null;
      recallOutcome(state, detector, call, { at, records, bytes, ...flow }, { isWithheld, hits });
    } else if (
      record.kind === "decision" &&
      record.decision === "released" &&
      releasedAttempt(record) === undefined
    ) {
      const { rules, at, until, allowance } = record;
      for (const rule of rules) release(state, detector, { rule, subject: null, at, until, allowance });
    }
  }
}
