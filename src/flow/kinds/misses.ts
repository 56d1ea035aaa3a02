import { type RuleOf, ruleKey } from "../rules.ts";
import { type Steps, shareClass } from "./watch.ts";

/** Asking for what does not exist: guessing. Honest callers mistype too, so both the number and the share must be high. */
export function missesSteps(rule: RuleOf<"misses">): Steps {
  const counter = (of: "misses" | "calls", windowMs: number) => `${ruleKey(rule)}/${of}/${windowMs}`;
  return {
    before(state, call) {
      if (!shareClass(call.classes, rule.classes)) return undefined;
      for (const { window, max, share } of rule.limits) {
        const observed = state.counters.total(counter("misses", window), window, call.at);
        const calls = state.counters.total(counter("calls", window), window, call.at);
        const threshold = max + state.releases.allowance(rule.id, call.at);
        // This call may be a miss as well.
        if (observed >= threshold && observed >= share * calls) {
          return { observed: observed + 1, threshold, window, events: [call.attempt] };
        }
      }
      return undefined;
    },
    answered(state, call, { at, missed }) {
      if (!shareClass(call.classes, rule.classes)) return;
      for (const { window } of rule.limits) {
        state.counters.add(counter("calls", window), window, at, 1);
        state.counters.add(counter("misses", window), window, at, missed ? 1 : 0);
      }
    },
  };
}
