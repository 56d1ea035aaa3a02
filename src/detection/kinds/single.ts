import { PERSONAL_CLASSES } from "../labels.ts";
import type { RuleOf } from "../rules.ts";
import { inWindow } from "../window.ts";
import type { RuleHandler } from "./compiled-rule.ts";

/** A single such record is enough: only guessed ids or deep paging find one. */
export const canaryHandler = (_rule: RuleOf<"canary">): RuleHandler => ({
  after: (_state, { attempt }, { canary }) =>
    canary ? { observed: 1, threshold: 0, window: 0, events: [attempt] } : undefined,
});

/** Detects an action after an answer whose text told the model what to do. */
export const taintHandler = (rule: RuleOf<"taint">): RuleHandler => ({
  before(state, { at, attempt, kinds }) {
    const { taint } = state.marks;
    if (taint === undefined || !rule.next.some((each) => kinds.includes(each))) return undefined;
    if (state.releases.isAttemptReleased(rule.id, attempt)) return undefined;
    // The person who agreed has seen everything read until then. Anything read later needs a new decision.
    if (!inWindow(taint.at, at, rule.window) || taint.at <= state.releases.agreedAt(rule.id, at))
      return undefined;
    return { observed: 1, threshold: 0, window: rule.window, events: [taint.attempt, attempt] };
  },
});

/**
 * Detects a flood of people that pushes others out of memory: no honest work reads so many, and it could be meant to
 * make us forget.
 */
export const floodingHandler = (rule: RuleOf<"flooding">): RuleHandler => ({
  classes: PERSONAL_CLASSES,
  before(state, call) {
    for (const { window, max } of rule.limits) {
      const observed = state.evicted.count(call.at, window);
      const threshold = max + state.releases.allowance(rule.id, call.at);
      if (observed > threshold) return { observed, threshold, window, events: [call.attempt] };
    }
    return undefined;
  },
});
