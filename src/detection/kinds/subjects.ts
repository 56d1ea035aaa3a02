import { BUSY, type Finding, newest } from "../decision.ts";
import type { FlowCall, FlowResult, Token } from "../event.ts";
import { PERSONAL_CLASSES } from "../labels.ts";
import { type RuleOf, ruleKey } from "../rules.ts";
import { counterOf } from "../state/counters.ts";
import type { FlowState } from "../state/state.ts";
import {
  EXPLANATION,
  KNOWN_MS,
  type Person,
  attemptOf,
  classIndexes,
  explanationOf,
  firstRead,
  seenAt,
} from "../state/subjects.ts";
import { inWindow } from "../window.ts";
import { peopleOf } from "./people.ts";
import { type RuleHandler, overlaps } from "./compiled-rule.ts";
import { explanationBy, explanationFor } from "./explanation.ts";

/**
 * Calls about an unknown person that may be in flight beyond the limit. Agents read one customer's orders in parallel,
 * and all of them may be about the same person. No one escapes the count, because each answer is judged when it is
 * settled.
 */
export const UNNAMED_IN_FLIGHT = 16;

/**
 * Counts different people who were newly read; with `unexplained`, only those whose reading nothing explains. Windows of
 * a day or less are exact; longer ones add up the people of each day.
 */
export function subjectsHandler(rule: RuleOf<"subjects">): RuleHandler {
  const { unexplained } = rule;
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
    if (unexplained !== undefined && explanationOf(person) !== EXPLANATION.none) return false;
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
      if (mayBeExplained(state, call, call.at)) return undefined;
      const asked = { now: call.at, attempt: call.attempt, people: call.subjects };
      if (!call.unnamed.subject) return judge(state, { ...asked, unnamed: 0 });
      const others = countUnnamedInFlight(state, call.at);
      const finding = judge(state, { ...asked, unnamed: 1 + others });
      // The calls in flight may all be about one person, so nothing has been detected until they are settled.
      const isAlone = others === 0 || judge(state, { ...asked, unnamed: 1 }) !== undefined;
      return finding === undefined || isAlone ? finding : BUSY;
    },
    after(state, call, result) {
      // A caller at the limit who asks by something other than an id must not learn whether the person exists. A person
      // who does not exist is therefore judged as a new one.
      const isAnybody = result.missed && call.unnamed.subject;
      const people = isAnybody ? [`?${call.attempt}`] : peopleOf(call, result);
      const counted =
        unexplained === undefined
          ? people
          : people.filter((token) => explained(state, token, call, result) === EXPLANATION.none);
      return judge(state, { now: result.at, attempt: call.attempt, people: counted, unnamed: 0 });
    },
    answered(state, call, result) {
      if (unexplained !== undefined) {
        const people = peopleOf(call, result).map(
          (token) => [token, explained(state, token, call, result)] as const,
        );
        for (const [token, how] of people)
          if (isNew(state, token, result.at)) state.subjects.explain(token, how, result.at);
      }
      for (const { counter } of limits) {
        if (counter !== undefined) state.counters.add(counter, result.at, countNew(state, call, result));
      }
    },
  };

  /** Returns how the rule sees the reading of a person in an answer: 0 if nothing explains it. */
  function explained(state: FlowState, token: Token, call: FlowCall, result: FlowResult) {
    if (unexplained === undefined) return EXPLANATION.none;
    return explanationFor(token, explanationBy(state, call, unexplained.emails_a_day, result.at), result);
  }

  /** Returns whether the rule has to wait for the answer, because it or the call's details may explain the reading. */
  function mayBeExplained(
    state: FlowState,
    call: Pick<FlowCall, "details" | "explains">,
    now: number,
  ): boolean {
    if (unexplained === undefined) return false;
    return (
      call.explains === true || explanationBy(state, call, unexplained.emails_a_day, now) !== EXPLANATION.none
    );
  }

  function countUnnamedInFlight(state: FlowState, now: number): number {
    let calls = 0;
    for (const each of state.inFlight.held.values()) {
      if (each.unnamed.subject && overlaps(each.classes, classes) && !mayBeExplained(state, each, now))
        calls++;
    }
    return calls;
  }

  function countNew(state: FlowState, call: FlowCall, result: FlowResult): number {
    return peopleOf(call, result).filter((token) => isNew(state, token, result.at)).length;
  }
}
