import type { FlowCall } from "../event.ts";
import { type RuleOf, ruleKey } from "../rules.ts";
import { counterOf } from "../state/counters.ts";
import { hashOf } from "../state/distinct.ts";
import type { FlowState } from "../state/state.ts";
import type { RuleHandler } from "./compiled-rule.ts";

/**
 * Counts named ids that lie beside an id named before. This detects walking along ids: up, down or in small strides.
 */
export function adjacencyHandler(rule: RuleOf<"adjacency">): RuleHandler {
  const key = ruleKey(rule);
  const limits = rule.limits.map(({ window, max }) => ({ max, counter: counterOf(key, window) }));
  const longest = Math.max(...rule.limits.map(({ window }) => window));
  // A call may name several ids, but a run does not say which are in it, so the first id stands for all.
  const idOf = ({ objects, subjects }: FlowCall) => hashOf(objects[0] ?? subjects[0] ?? "");
  const beside = (state: FlowState, call: FlowCall) =>
    call.neighbourhoods.filter((run) => state.neighbours.isBeside(key, run, idOf(call), call.at, longest))
      .length;
  return {
    classes: rule.classes,
    before(state, call) {
      const more = beside(state, call);
      if (more === 0) return undefined;
      for (const { counter, max } of limits) {
        const observed = state.counters.total(counter, call.at) + more;
        const threshold = max + state.releases.allowance(rule.id, call.at);
        if (observed > threshold)
          return { observed, threshold, window: counter.window, events: [call.attempt] };
      }
      return undefined;
    },
    admitted(state, call) {
      const more = beside(state, call);
      for (const { counter } of limits) state.counters.add(counter, call.at, more);
      for (const run of call.neighbourhoods) state.neighbours.see(key, run, idOf(call), call.at, longest);
    },
  };
}
