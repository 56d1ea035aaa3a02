import { type RuleOf, ruleKey } from "../rules.ts";
import { type Steps, shareClass } from "./watch.ts";

/** Records or bytes: what was answered, what calls in flight may answer yet, and what this one may. */
export function budgetSteps(rule: RuleOf<"budget">): Steps {
  const counter = (windowMs: number) => `${ruleKey(rule)}/${windowMs}`;
  return {
    before(state, call) {
      if (!shareClass(call.classes, rule.classes)) return undefined;
      let pending = call.cost[rule.of];
      for (const each of state.inFlight.held.values()) {
        if (shareClass(each.classes, rule.classes)) pending += each.cost[rule.of];
      }
      for (const { window, max } of rule.limits) {
        const observed = state.counters.total(counter(window), window, call.at) + pending;
        const threshold = max + state.releases.allowance(rule.id, call.at);
        if (observed > threshold) return { observed, threshold, window, events: [call.attempt] };
      }
      return undefined;
    },
    answered(state, call, result) {
      if (!shareClass(call.classes, rule.classes)) return;
      for (const { window } of rule.limits) {
        state.counters.add(counter(window), window, result.at, result[rule.of]);
      }
    },
  };
}
