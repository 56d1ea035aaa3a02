import { BUSY } from "../decision.ts";
import type { FlowCall } from "../event.ts";
import { type RuleOf, ruleKey } from "../rules.ts";
import { counterOf } from "../state/counters.ts";
import { type Reservation, isRetryOf } from "../state/reservations.ts";
import type { FlowState } from "../state/state.ts";
import { type RuleHandler, appliesTo } from "./compiled-rule.ts";

/** Limits records or bytes: those answered or written so far, those of calls in flight, and those of this call. */
export function budgetHandler(rule: RuleOf<"budget">): RuleHandler {
  const limits = rule.limits.map(({ window, max }) => ({ max, counter: counterOf(ruleKey(rule), window) }));
  const watched = { classes: rule.classes, except_classes: rule.except_classes, kinds: rule.kinds };

  /** Adds up what writes in flight will use for certain, and what reads in flight may answer at most. */
  function costInFlight(
    { inFlight, publicReads }: FlowState,
    call: FlowCall,
  ): { written: number; read: number } {
    let [written, read] = [0, 0];
    const add = (each: Reservation) => {
      if (!appliesTo(watched, each) || isRetryOf(each, call)) return;
      if (writes(each)) written += each.cost[rule.of];
      else read += each.cost[rule.of];
    };
    for (const each of inFlight.held.values()) add(each);
    for (const each of publicReads.held.values()) add(each);
    return { written, read };
  }

  return {
    ...watched,
    before(state, call) {
      const { written, read } = costInFlight(state, call);
      let isBusy = false;
      for (const { counter, max } of limits) {
        const observed = state.counters.total(counter, call.at) + written + call.cost[rule.of];
        // The allowance counts calls like this one: five extra records or bytes would let no call through.
        const threshold = max + state.releases.allowance(rule.id, call.at) * call.cost[rule.of];
        if (observed > threshold)
          return { observed, threshold, window: counter.window, events: [call.attempt] };
        isBusy ||= observed + read > threshold;
      }
      return isBusy ? BUSY : undefined;
    },
    answered(state, _call, result) {
      for (const { counter } of limits) state.counters.add(counter, result.at, result[rule.of]);
    },
  };
}

const writes = ({ kinds }: Pick<FlowCall, "kinds">): boolean => kinds.some((each) => each !== "source");
