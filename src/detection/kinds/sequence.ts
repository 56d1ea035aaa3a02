import type { FlowCall, Token } from "../event.ts";
import { type RuleOf, ruleKey } from "../rules.ts";
import { counterOf } from "../state/counters.ts";
import type { FlowState } from "../state/state.ts";
import { judgePeople, peopleOf } from "./people.ts";
import { type RuleHandler, overlaps } from "./compiled-rule.ts";

type Step = RuleOf<"sequence">["steps"][number];

/**
 * Detects steps in order with anything in between ("skip till any match"). Each step keeps only the latest start of a
 * match that reached it: if any match lies in the window, the match that started last does.
 */
export function sequenceHandler(rule: RuleOf<"sequence">): RuleHandler {
  const key = ruleKey(rule);
  const last = rule.steps.length - 1;
  const matchedSteps = (call: FlowCall) => rule.steps.map((step) => matches(step, call));

  /** Returns the starts after a call at `now`. One call is one step. */
  function advance(starts: readonly number[], matched: readonly boolean[], now: number): number[] {
    const next = rule.steps.map((_, step) => starts[step] ?? 0);
    for (let step = last; step > 0; step--) {
      if (matched[step] === true) next[step] = Math.max(next[step] ?? 0, next[step - 1] ?? 0);
    }
    if (matched[0] === true) next[0] = now;
    return next;
  }

  function aboutPeople(state: FlowState, call: FlowCall, people: readonly Token[], now: number) {
    const matched = matchedSteps(call);
    if (people.length === 0 || matched[last] !== true) return undefined;
    return judgePeople(state, {
      rule: rule.id,
      limits: rule.limits,
      now,
      attempt: call.attempt,
      matchedAt: state.subjects.completedAt(key),
      added: (windowMs) =>
        people.filter((token) => {
          const starts = state.subjects.startsOf(token, key);
          const isIn = (at: number) => now - at < windowMs;
          return !isIn(starts[last] ?? 0) && isIn(advance(starts, matched, now)[last] ?? 0);
        }),
    });
  }

  const limits = rule.limits.map(({ window, max }) => ({ max, counter: counterOf(key, window) }));
  /** Counts completed sequences of the caller, whomever they are about. */
  function aboutCaller(state: FlowState, call: FlowCall, now: number) {
    const matched = matchedSteps(call);
    if (matched[last] !== true) return undefined;
    const started = advance(state.marks.progress.get(key) ?? [], matched, now)[last] ?? 0;
    for (const { counter, max } of limits) {
      if (now - started >= counter.window) continue;
      const observed = state.counters.total(counter, now) + 1;
      const threshold = max + state.releases.allowance(rule.id, now);
      if (observed > threshold)
        return { observed, threshold, window: counter.window, events: [call.attempt] };
    }
    return undefined;
  }

  if (rule.per === "caller") {
    return {
      before: (state, call) => aboutCaller(state, call, call.at),
      answered(state, call, { at, missed }) {
        const matched = matchedSteps(call);
        if (missed || !matched.includes(true)) return;
        const starts = advance(state.marks.progress.get(key) ?? [], matched, at);
        state.marks.setProgress(key, starts);
        for (const { counter } of limits) {
          if (matched[last] === true && at - (starts[last] ?? 0) < counter.window)
            state.counters.add(counter, at, 1);
        }
      },
    };
  }
  return {
    before: (state, call) => aboutPeople(state, call, call.subjects, call.at),
    after: (state, call, result) => aboutPeople(state, call, peopleOf(call, result), result.at),
    answered(state, call, result) {
      const matched = matchedSteps(call);
      if (!matched.includes(true)) return;
      for (const token of peopleOf(call, result)) {
        const starts = advance(state.subjects.startsOf(token, key), matched, result.at);
        state.subjects.setStarts(token, key, starts, result.at);
      }
    },
  };
}

const matches = ({ classes, tools, kinds }: Step, call: FlowCall): boolean =>
  (classes === undefined || overlaps(classes, call.classes)) &&
  (tools === undefined || tools.includes(call.tool)) &&
  (kinds === undefined || overlaps(kinds, call.kinds));
