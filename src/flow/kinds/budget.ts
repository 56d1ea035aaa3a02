import { type RuleOf, ruleKey } from "../rules.ts";
import { counterOf } from "../state/counters.ts";
import { type Steps, isWatched } from "./watch.ts";

/** Records or bytes: what was answered or written, what calls in flight may answer yet, and what this one may. */
export function budgetSteps(rule: RuleOf<"budget">): Steps {
  const limits = rule.limits.map(({ window, max }) => ({ max, counter: counterOf(ruleKey(rule), window) }));
  const watched = { classes: rule.classes, kinds: rule.kinds };
  return {
    ...watched,
    before(state, call) {
      let pending = call.cost[rule.of];
      for (const each of state.inFlight.held.values()) {
        if (isWatched(watched, each)) pending += each.cost[rule.of];
      }
      for (const { counter, max } of limits) {
        const observed = state.counters.total(counter, call.at) + pending;
        // In calls like this one: five records, or five bytes, more would let nothing through.
        const threshold = max + state.releases.allowance(rule.id, call.at) * call.cost[rule.of];
        if (observed > threshold)
          return { observed, threshold, window: counter.window, events: [call.attempt] };
      }
      return undefined;
    },
    answered(state, _call, result) {
      for (const { counter } of limits) state.counters.add(counter, result.at, result[rule.of]);
    },
  };
}
