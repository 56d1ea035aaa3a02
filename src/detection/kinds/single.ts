import { PERSONAL_CLASSES } from "../labels.ts";
import type { RuleOf } from "../rules.ts";
import { inWindow } from "../window.ts";
import type { RuleHandler } from "./compiled-rule.ts";

/** One such record is one too many: nobody comes upon it but by guessing ids or deep paging. */
export const canarySteps = (_rule: RuleOf<"canary">): RuleHandler => ({
  after: (_state, { attempt }, { canary }) =>
    canary ? { observed: 1, threshold: 0, window: 0, events: [attempt] } : undefined,
});

/** An answer told the model what to do, and now it does something. */
export const taintSteps = (rule: RuleOf<"taint">): RuleHandler => ({
  before(state, { at, attempt, kinds }) {
    const { taint } = state.marks;
    if (taint === undefined || !rule.next.some((each) => kinds.includes(each))) return undefined;
    if (state.releases.isAttemptReleased(rule.id, attempt)) return undefined;
    // A person who agreed has seen what was read until then; what is read later asks anew.
    if (!inWindow(taint.at, at, rule.window) || taint.at <= state.releases.agreedAt(rule.id, at))
      return undefined;
    return { observed: 1, threshold: 0, window: rule.window, events: [taint.attempt, attempt] };
  },
});

/** People pushed out of memory: so many at once that no honest work explains it, or somebody wants us to forget. */
export const floodingSteps = (rule: RuleOf<"flooding">): RuleHandler => ({
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
