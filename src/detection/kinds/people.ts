import { type Finding, newest } from "../decision.ts";
import type { FlowCall, FlowResult, Token } from "../event.ts";
import { type Person, attemptOf } from "../state/subjects.ts";
import type { FlowState } from "../state/state.ts";

/**
 * Returns the people whose data an answer holds: those in it and those who were asked for. A lost or unnamed person
 * counts as one.
 */
export const peopleOf = (call: Pick<FlowCall, "subjects">, result: FlowResult): readonly Token[] =>
  result.missed ? [] : union(call.subjects, result.subjects);

function union(a: readonly Token[], b: readonly Token[]): readonly Token[] {
  const more = a.length === 0 ? b : b.filter((each) => !a.includes(each));
  return more.length === 0 ? a : [...a, ...more];
}

/** Per limit: window in milliseconds, people let through. */
interface PeopleLimit {
  window: number;
  max: number;
}

interface Question {
  rule: string;
  limits: readonly PeopleLimit[];
  now: number;
  attempt: number;
  /** Returns when the person came to match the rule, or 0. Only times in the window count. */
  matchedAt: (person: Person) => number;
  /** Returns the people who would newly match in the window if the call proceeds. */
  added: (windowMs: number) => readonly Token[];
}

/**
 * Returns a finding for the first limit that the call passes by adding people. People who were let through before stay
 * readable.
 */
export function judgePeople(state: FlowState, question: Question): Finding | undefined {
  const { rule, limits, now, attempt, matchedAt } = question;
  const isReleased = (token: Token) => state.releases.isReleased(rule, token, now);
  for (const { window, max } of limits) {
    const added = question.added(window).filter((token) => !isReleased(token));
    if (added.length === 0) continue;
    const threshold = max + state.releases.allowance(rule, now);
    const evicted = state.evicted.count(now, window);
    if (state.subjects.rows.size + added.length + evicted <= threshold) continue;
    const attempts = [attempt];
    for (const [token, person] of state.subjects.rows) {
      const at = matchedAt(person);
      if (at > 0 && now - at < window && !isReleased(token)) attempts.push(attemptOf(person));
    }
    const observed = attempts.length - 1 + added.length + evicted;
    if (observed > threshold) return { observed, threshold, window, events: newest(attempts) };
  }
  return undefined;
}
