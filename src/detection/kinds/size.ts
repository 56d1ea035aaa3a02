import { type RuleOf, ruleKey } from "../rules.ts";
import { NO_SIZE, SUMMED } from "../size.ts";
import { counterOf } from "../state/counters.ts";
import { isRetryOf } from "../state/reservations.ts";
import type { RuleHandler } from "./compiled-rule.ts";

/** Limits how much calls change, by the size that was planned: so far, in flight, and by this call. */
export function sizeHandler(rule: RuleOf<"size">): RuleHandler {
  const limits = rule.limits.map((limit) => ({
    ...limit,
    sums: SUMMED.flatMap((part) => {
      const max = limit[part];
      return max === undefined ? [] : [{ part, max, counter: counterOf(ruleKey(rule), limit.window, part) }];
    }),
  }));
  return {
    kinds: ["write"],
    before(state, call) {
      const { size = NO_SIZE } = call;
      if (size.units === 0) return undefined;
      const inFlight = [...state.inFlight.held.values()].filter((each) => !isRetryOf(each, call));
      const allowance = state.releases.allowance(rule.id, call.at);
      for (const { window, share, sums } of limits) {
        if (share !== undefined && size.share <= share) continue;
        const found = sums.map(({ part, max, counter }) => ({
          observed:
            state.counters.total(counter, call.at) +
            inFlight.reduce((sum, each) => sum + (each.size?.[part] ?? 0), 0) +
            size[part],
          // The allowance counts calls like this one.
          threshold: max + allowance * size[part],
        }));
        const [first] = found;
        if (first !== undefined && found.every(({ observed, threshold }) => observed > threshold))
          return { ...first, window, events: [call.attempt] };
      }
      return undefined;
    },
    answered(state, { size }, { at, missed, records }) {
      if (size === undefined || missed || records === 0) return;
      for (const { sums } of limits)
        for (const { part, counter } of sums) state.counters.add(counter, at, size[part]);
    },
  };
}
