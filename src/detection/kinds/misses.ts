import type { Finding } from "../decision.ts";
import type { FlowCall, FlowResult, Token } from "../event.ts";
import { isPublicRead } from "../labels.ts";
import { type RuleOf, ruleKey } from "../rules.ts";
import { counterOf } from "../state/counters.ts";
import type { FlowState } from "../state/state.ts";
import type { RuleHandler } from "./compiled-rule.ts";

/**
 * Asking for what does not exist: guessing. Honest callers mistype too, so a number is let through, and more of them where the
 * rule has a share. A share suits only calls that all could miss: about people, a guesser pads with calls that can't. Each name
 * counts once while it is remembered: products by name, because one call may ask for fifty, and calls about people by their
 * arguments. The catalog stays open to who guesses: past the limit it is the next miss that is refused. Calls about people
 * are refused before they run.
 */
export function missesSteps(rule: RuleOf<"misses">): RuleHandler {
  const limits = rule.limits.map(({ window, max, share = 0 }) => ({
    max,
    share,
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
      const more = isPublicRead(call) ? countMisses(state, call, result) : 0;
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
        state.counters.add(misses, result.at, countMisses(state, call, result));
      }
    },
  };
}

/** A call without names of what it missed is one miss. */
function countMisses(state: FlowState, call: FlowCall, result: FlowResult): number {
  const names = missesNamed(call, result);
  if (names.length > 0) return state.missing.countNew(names);
  return result.missed ? 1 : 0;
}

/** Names of what a call missed; a call about people that missed is named by its arguments, if those are known. */
export function missesNamed(call: FlowCall, { missed, missing = [] }: FlowResult): readonly Token[] {
  if (missing.length > 0 || !missed || call.digest === undefined || isPublicRead(call)) return missing;
  return [`${call.tool} ${call.digest}`];
}

/** Names that a call asked for and that could have led nowhere: a search of the catalog asks for none. */
function countNames(call: FlowCall, { missed, missing = [] }: FlowResult): number {
  if (!isPublicRead(call)) return 1;
  return Math.max(call.objects.length, missing.length, missed ? 1 : 0);
}
