import type { FlowCall, Token } from "../event.ts";
import type { RuleOf } from "../rules.ts";
import { type Person, classIndexes, gatheredAt } from "../state/subjects.ts";
import type { FlowState } from "../state/state.ts";
import { judgePeople, peopleOf } from "./people.ts";
import type { RuleHandler } from "./compiled-rule.ts";

/**
 * Counts people of whom all the classes were read, in any order and with any gaps. A class counts from its first
 * reading.
 */
export function profileHandler(rule: RuleOf<"profile">): RuleHandler {
  const indexes = classIndexes(rule.classes);

  function judge(state: FlowState, call: FlowCall, people: readonly Token[], now: number) {
    if (people.length === 0) return undefined;
    const read = classIndexes(call.classes);
    const completes = (token: Token, windowMs: number) => {
      const person = state.subjects.rows.get(token);
      const isIn = (index: number) => person !== undefined && now - gatheredAt(person, index) < windowMs;
      return !indexes.every(isIn) && indexes.every((index) => isIn(index) || read.includes(index));
    };
    return judgePeople(state, {
      rule: rule.id,
      limits: rule.limits,
      now,
      attempt: call.attempt,
      matchedAt: (person) => oldest(person, indexes),
      added: (windowMs) => people.filter((token) => completes(token, windowMs)),
    });
  }

  return {
    classes: rule.classes,
    before: (state, call) => judge(state, call, call.subjects, call.at),
    after: (state, call, result) => judge(state, call, peopleOf(call, result), result.at),
  };
}

/**
 * Returns when the class read longest ago was read: if that is in a window, all are. Returns 0 if a class is missing.
 */
function oldest(person: Person, indexes: readonly number[]): number {
  let at = Infinity;
  for (const index of indexes) at = Math.min(at, gatheredAt(person, index));
  return at;
}
