import type { Finding } from "../decision.ts";
import type { FlowCall, FlowResult, Token } from "../event.ts";
import { PERSONAL_CLASSES, isPublicRead } from "../labels.ts";
import { type RuleOf, ruleKey } from "../rules.ts";
import { counterOf } from "../state/counters.ts";
import type { FlowState } from "../state/state.ts";
import { classIndexes, firstRead } from "../state/subjects.ts";
import type { RuleHandler } from "./compiled-rule.ts";
import { peopleOf } from "./people.ts";
import { countNewProducts } from "./products.ts";

/**
 * Detects guessing: requests for things that do not exist. Honest callers mistype too, so `max` misses are allowed, and
 * more while their share of all names is small, up to a ceiling. Each name counts once while it is remembered, both as a
 * miss and in the share, so a guesser can't pad with repeats of what exists. Products are named by SKU because one call
 * may ask for fifty; calls about people that found nobody are named by their arguments. The catalog stays open to a
 * caller who guesses: past the limit, the next miss is refused. Calls about people are refused before they run.
 */
export function missesHandler(rule: RuleOf<"misses">): RuleHandler {
  const limits = rule.limits.map(({ window, max, share = 0, ceiling = Infinity }) => ({
    max,
    share,
    ceiling,
    misses: counterOf(ruleKey(rule), window, "misses"),
    names: counterOf(ruleKey(rule), window, "calls"),
  }));

  /** Judges `more` misses among `moreNames` names on top of those already counted. */
  function judge(
    state: FlowState,
    { at, attempt, more, moreNames }: { at: number; attempt: number; more: number; moreNames: number },
  ): Finding | undefined {
    const allowed = state.releases.allowance(rule.id, at);
    for (const { misses, names, max, share, ceiling } of limits) {
      const observed = state.counters.total(misses, at) + more;
      const all = state.counters.total(names, at) + moreNames;
      const isShare = observed > max + allowed && observed >= share * all;
      if (!isShare && observed <= ceiling + allowed) continue;
      const threshold = (isShare ? max : ceiling) + allowed;
      return { observed, threshold, window: misses.window, events: [attempt] };
    }
    return undefined;
  }

  return {
    classes: rule.classes,
    before(state, call) {
      // This call may be a miss.
      return isPublicRead(call) ? undefined : judge(state, { ...call, more: 1, moreNames: 1 });
    },
    after(state, call, result) {
      const more = isPublicRead(call) ? countMisses(state, call, result) : 0;
      if (more === 0) return undefined;
      const moreNames = more + countFound(state, call, result);
      return judge(state, { at: result.at, attempt: call.attempt, more, moreNames });
    },
    answered(state, call, result) {
      const more = countMisses(state, call, result);
      const moreNames = more + countFound(state, call, result);
      for (const { misses, names } of limits) {
        state.counters.add(names, result.at, moreNames);
        state.counters.add(misses, result.at, more);
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

const ALL_CLASSES = classIndexes(PERSONAL_CLASSES);

/**
 * Counts names that could have been missing and were not: products or people found by name that the caller had not been
 * answered within a day. A catalog search names none.
 */
function countFound(state: FlowState, call: FlowCall, result: FlowResult): number {
  if (!isPublicRead(call)) {
    const isKnown = (token: Token) => {
      const person = state.subjects.rows.get(token);
      return person !== undefined && firstRead(person, ALL_CLASSES, result.at) > 0;
    };
    return peopleOf(call, result).filter((token) => !isKnown(token)).length;
  }
  const missing = new Set(result.missing);
  const found = result.missed ? [] : call.objects.filter((name) => !missing.has(name));
  return countNewProducts(state, found, result.at);
}
