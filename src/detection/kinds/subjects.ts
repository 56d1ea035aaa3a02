import { BUSY, type Finding, newest } from "../decision.ts";
import type { FlowCall, FlowResult, Token } from "../event.ts";
import { PERSONAL_CLASSES } from "../labels.ts";
import { type RuleOf, ruleKey } from "../rules.ts";
import { counterOf } from "../state/counters.ts";
import type { FlowState } from "../state/state.ts";
import { KNOWN_MS, type Person, attemptOf, classIndexes, firstRead, seenAt } from "../state/subjects.ts";
import { inWindow } from "../window.ts";
import { peopleOf } from "./people.ts";
import { type RuleHandler, overlaps } from "./compiled-rule.ts";

/**
 * Calls about an unknown person that may be in flight beyond the limit. Agents read one customer's orders in parallel,
 * and all of them may be about the same person. No one escapes the count, because each answer is judged when it is
 * settled.
 */
export const UNNAMED_IN_FLIGHT = 16;

/**
 * Counts different people who were newly read. Windows of a day or less are exact; longer ones add up the people of
 * each day.
 */
export function subjectsHandler(rule: RuleOf<"subjects">): RuleHandler {
  const classes = rule.classes ?? PERSONAL_CLASSES;
  const indexes = classIndexes(classes);
  const limits = rule.limits.map(({ window, max }) => ({
    window,
    max,
    counter: window > KNOWN_MS ? counterOf(ruleKey(rule), window) : undefined,
  }));

  const isNew = (state: FlowState, token: Token, now: number) => {
    const person = state.subjects.rows.get(token);
    return (
      (person === undefined || firstRead(person, indexes, now) === 0) &&
      !state.releases.isReleased(rule.id, token, now)
    );
  };

  const isIn = (state: FlowState, token: Token, person: Person, now: number, windowMs: number) => {
    // A cheap check first: a person's first reading cannot be later than the last one.
    if (!inWindow(seenAt(person), now, windowMs)) return false;
    const at = firstRead(person, indexes, now);
    return at > 0 && inWindow(at, now, windowMs) && !state.releases.isReleased(rule.id, token, now);
  };
  function attemptsBehind(state: FlowState, now: number, windowMs: number): number[] {
    const attempts = [];
    for (const [token, person] of state.subjects.rows) {
      if (isIn(state, token, person, now, windowMs)) attempts.push(attemptOf(person));
    }
    return attempts;
  }

  /** Counts new people whom other calls in flight name. */
  function countInFlight(state: FlowState, attempt: number, besides: readonly Token[], now: number): number {
    if (state.inFlight.held.size === 0) return 0;
    const people = new Set<Token>();
    for (const [each, { subjects, classes: theirs }] of state.inFlight.held) {
      if (each === attempt || !overlaps(theirs, classes)) continue;
      for (const token of subjects)
        if (!besides.includes(token) && isNew(state, token, now)) people.add(token);
    }
    return people.size;
  }

  /**
   * `people` are those whom the call names or its answer holds; `unnamed` is the number of calls in flight about
   * unknown people.
   */
  function judge(
    state: FlowState,
    {
      now,
      attempt,
      people,
      unnamed,
    }: { now: number; attempt: number; people: readonly Token[]; unnamed: number },
  ): Finding | undefined {
    const fresh = people.filter((token) => isNew(state, token, now));
    if (fresh.length === 0 && unnamed === 0) return undefined;
    const added = unnamed + fresh.length + countInFlight(state, attempt, fresh, now);
    const slack = unnamed > 0 ? UNNAMED_IN_FLIGHT : 0;
    for (const { window, max, counter } of limits) {
      const threshold = max + state.releases.allowance(rule.id, now);
      const most = counter === undefined ? state.subjects.rows.size : state.counters.total(counter, now);
      const evicted = counter === undefined ? state.evicted.count(now, window) : 0;
      if (most + evicted + added <= threshold + slack) continue;
      const attempts = attemptsBehind(state, now, window);
      const observed = (counter === undefined ? attempts.length : most) + evicted + added;
      if (observed <= threshold + slack) continue;
      return { observed, threshold, window, events: newest([...attempts, attempt]) };
    }
    return undefined;
  }

  return {
    classes,
    before(state, call) {
      const asked = { now: call.at, attempt: call.attempt, people: call.subjects };
      if (!call.unnamed.subject) return judge(state, { ...asked, unnamed: 0 });
      const others = unnamedInFlight(state, classes);
      const finding = judge(state, { ...asked, unnamed: 1 + others });
      // The calls in flight may all be about one person, so nothing has been detected until they are settled.
      const isAlone = others === 0 || judge(state, { ...asked, unnamed: 1 }) !== undefined;
      return finding === undefined || isAlone ? finding : BUSY;
    },
    after(state, call, result) {
      // A caller at the limit who asks by something other than an id must not learn whether the person exists. A person
      // who does not exist is therefore judged as a new one.
      const isAnybody = result.missed && call.unnamed.subject;
      return judge(state, {
        now: result.at,
        attempt: call.attempt,
        people: isAnybody ? [`?${call.attempt}`] : peopleOf(call, result),
        unnamed: 0,
      });
    },
    answered(state, call, result) {
      for (const { counter } of limits) {
        if (counter !== undefined) state.counters.add(counter, result.at, countNew(state, call, result));
      }
    },
  };

  function countNew(state: FlowState, call: FlowCall, result: FlowResult): number {
    return peopleOf(call, result).filter((token) => isNew(state, token, result.at)).length;
  }
}

function unnamedInFlight(state: FlowState, classes: readonly string[]): number {
  let calls = 0;
  for (const each of state.inFlight.held.values()) {
    if (each.unnamed.subject && overlaps(each.classes, classes)) calls++;
  }
  return calls;
}
