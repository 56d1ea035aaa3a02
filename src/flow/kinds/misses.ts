import { type RuleOf, ruleKey } from "../rules.ts";
import { counterOf } from "../state/counters.ts";
import type { Steps } from "./watch.ts";

/** Asking for what does not exist: guessing. Honest callers mistype too, so both the number and the share must be high. */
export function missesSteps(rule: RuleOf<"misses">): Steps {
  const limits = rule.limits.map(({ window, ...limit }) => ({
    ...limit,
    misses: counterOf(ruleKey(rule), window, "misses"),
    calls: counterOf(ruleKey(rule), window, "calls"),
  }));
  return {
    classes: rule.classes,
    before(state, call) {
      for (const { misses, calls, max, share } of limits) {
        const missed = state.counters.total(misses, call.at);
        const threshold = max + state.releases.allowance(rule.id, call.at);
        // This call may be a miss as well.
        if (missed >= threshold && missed >= share * state.counters.total(calls, call.at)) {
          return { observed: missed + 1, threshold, window: misses.window, events: [call.attempt] };
        }
      }
      return undefined;
    },
    answered(state, _call, { at, missed }) {
      for (const { misses, calls } of limits) {
        state.counters.add(calls, at, 1);
        if (missed) state.counters.add(misses, at, 1);
      }
    },
  };
}
