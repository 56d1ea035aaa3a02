import { type RuleOf, ruleKey } from "../rules.ts";
import { NO_SIZE, SUMMED } from "../size.ts";
import { counterOf } from "../state/counters.ts";
import { isRetryOf } from "../state/reservations.ts";
import type { RuleHandler } from "./compiled-rule.ts";

/**
 * Limits how much calls change, by the size that was planned: so far, in flight, and by this call. A limit without a window
 * looks at the call alone.
 */
export function sizeHandler(rule: RuleOf<"size">): RuleHandler {
  const limits = rule.limits.map((limit) => ({
    ...limit,
    sums: SUMMED.flatMap((part) => {
      const max = limit[part];
      if (max === undefined) return [];
      const counter = limit.window === undefined ? undefined : counterOf(ruleKey(rule), limit.window, part);
      const of_catalog = part === "emptied" ? (limit.of_catalog ?? 0) : 0;
      return [{ part, max, of_catalog, counter }];
    }),
  }));
  // Limits of one window count a part once.
  const counted = new Map(
    limits
      .flatMap(({ sums }) => sums)
      .flatMap(({ part, counter }) => (counter === undefined ? [] : [[counter.name, { part, counter }]])),
  );
  return {
    kinds: ["write"],
    before(state, call, { catalogSize }) {
      const { size = NO_SIZE } = call;
      if (size.units === 0) return undefined;
      const inFlight = [...state.inFlight.held.values()].filter((each) => !isRetryOf(each, call));
      const allowance = state.releases.allowance(rule.id, call.at);
      for (const { window, share, sums } of limits) {
        if (share !== undefined && size.share <= share) continue;
        const found = sums.map(({ part, max, of_catalog, counter }) => {
          const before =
            counter === undefined
              ? 0
              : state.counters.total(counter, call.at) +
                inFlight.reduce((sum, each) => sum + (each.size?.[part] ?? 0), 0);
          // The allowance counts calls like this one.
          const most = Math.max(max, Math.floor(of_catalog * catalogSize)) + allowance * size[part];
          return { observed: before + size[part], threshold: most };
        });
        const [first] = found;
        if (first !== undefined && found.every(({ observed, threshold }) => observed > threshold))
          return { ...first, window: window ?? 0, events: [call.attempt] };
      }
      return undefined;
    },
    answered(state, { size }, { at, missed, records }) {
      if (size === undefined || missed || records === 0) return;
      for (const { part, counter } of counted.values()) state.counters.add(counter, at, size[part]);
    },
  };
}
