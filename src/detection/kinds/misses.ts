import type { Finding } from "../decision.ts";
import type { FlowCall, FlowResult, Token } from "../event.ts";
import { isPublicRead } from "../labels.ts";
import { type RuleOf, ruleKey } from "../rules.ts";
import { counterOf } from "../state/counters.ts";
import type { FlowState } from "../state/state.ts";
import type { RuleHandler } from "./compiled-rule.ts";

/**
 * Detects guessing: requests for things that do not exist. Honest callers mistype too, so some are allowed, and more if the
 * rule has a share. A share suits only calls that can all miss: about people, a guesser would pad with calls that cannot. Each
 * name counts once while it is remembered: products by name because one call may ask for fifty, calls about people by their
 * arguments. The catalog stays open to a caller who guesses: past the limit, the next miss is refused. Calls about people are
 * refused before they run.
 */
export function missesHandler(rule: RuleOf<"misses">): RuleHandler {
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
        // This call may be a miss too.
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

/** Counts a call that does not list the missing names as one miss. */
function countMisses(state: FlowState, call: FlowCall, result: FlowResult): number {
  const names = missesNamed(call, result);
  if (names.length > 0) return state.missing.countNew(names);
  return result.missed ? 1 : 0;
}

/** The names that a call asked for in vain. A call about people is named by its arguments, if those are known. */
export function missesNamed(call: FlowCall, { missed, missing = [] }: FlowResult): readonly Token[] {
  if (missing.length > 0 || !missed || call.digest === undefined || isPublicRead(call)) return missing;
  return [`${call.tool} ${call.digest}`];
}

/** Counts the requested names that could be missing. A catalog search names none. */
function countNames(call: FlowCall, { missed, missing = [] }: FlowResult): number {
  if (!isPublicRead(call)) return 1;
  return Math.max(call.objects.length, missing.length, missed ? 1 : 0);
}
