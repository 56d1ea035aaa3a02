import type { Finding } from "../decision.ts";
import type { FlowCall, FlowResult } from "../event.ts";
import { isPublicRead } from "../labels.ts";
import { type RuleOf, ruleKey } from "../rules.ts";
import { counterOf } from "../state/counters.ts";
import type { FlowState } from "../state/state.ts";
import type { Steps } from "./watch.ts";

/**
 * Asking for what does not exist: guessing. Honest callers mistype too, so both the number and the share must be high.
 * Products are counted by name, as one call may ask for fifty, and each name once while it is remembered. The catalog stays
 * open to who guesses: past the limit it is the next miss that is refused. Calls about people are refused before they run.
 */
export function missesSteps(rule: RuleOf<"misses">): Steps {
  const limits = rule.limits.map(({ window, ...limit }) => ({
    ...limit,
    misses: counterOf(ruleKey(rule), window, "misses"),
    asked: counterOf(ruleKey(rule), window, "calls"),
  }));

  return {
    classes: rule.classes,
    before(state, call) {
      if (isPublicRead(call)) return undefined;
      for (const { misses, asked, max, share } of limits) {
        const missed = state.counters.total(misses, call.at);
        const threshold = max + state.releases.allowance(rule.id, call.at);
        // This call may be a miss as well.
        if (missed >= threshold && missed >= share * state.counters.total(asked, call.at))
          return { observed: missed + 1, threshold, window: misses.window, events: [call.attempt] };
      }
      return undefined;
    },
    after(state, call, result): Finding | undefined {
      const more = isPublicRead(call) ? countMisses(state, result) : 0;
      if (more === 0) return undefined;
      for (const { misses, asked, max, share } of limits) {
        const observed = state.counters.total(misses, result.at) + more;
        const threshold = max + state.releases.allowance(rule.id, result.at);
        const names = state.counters.total(asked, result.at) + countNames(call, result);
        if (observed > threshold && observed >= share * names)
          return { observed, threshold, window: misses.window, events: [call.attempt] };
      }
      return undefined;
    },
    answered(state, call, result) {
      for (const { misses, asked } of limits) {
        state.counters.add(asked, result.at, countNames(call, result));
        state.counters.add(misses, result.at, countMisses(state, result));
      }
    },
  };
}

/** A call that does not say which names led nowhere is one miss. */
function countMisses(state: FlowState, { missed, missing = [] }: FlowResult): number {
  if (missing.length > 0) return state.missing.countNew(missing);
  return missed ? 1 : 0;
}

/** Names that a call asked for and that could have led nowhere: a search of the catalog asks for none. */
function countNames(call: FlowCall, { missed, missing = [] }: FlowResult): number {
  if (!isPublicRead(call)) return 1;
  return Math.max(call.objects.length, missing.length, missed ? 1 : 0);
}
