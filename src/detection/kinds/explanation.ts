import type { FlowCall, FlowResult, Token } from "../event.ts";
import { PERSONAL_CLASSES } from "../labels.ts";
import type { FlowState } from "../state/state.ts";
import { EXPLANATION, type Explanation, classIndexes, explanationOf, firstRead } from "../state/subjects.ts";

type Search = Pick<FlowCall, "details">;

/**
 * Returns how a call explains that it reads the people it finds: it names a detail of theirs that no answer had shown.
 * Past `emailsADay` people in a day, an email address explains nothing.
 */
export function explanationBy(
  state: FlowState,
  { details = [] }: Search,
  emailsADay: number,
  now: number,
): Explanation {
  const unseen = details.filter(({ tokens }) => !tokens.some((token) => state.shown.has(token)));
  if (unseen.some(({ by }) => by !== "email")) return EXPLANATION.found;
  return unseen.length > 0 && countByEmail(state, now) < emailsADay ? EXPLANATION.byEmail : EXPLANATION.none;
}

/** Returns how the reading of one person in an answer is explained. */
export const explanationFor = (
  token: Token,
  byCall: Explanation,
  { explained = [] }: Pick<FlowResult, "explained">,
): Explanation => (explained.includes(token) ? EXPLANATION.found : byCall);

const ALL = classIndexes(PERSONAL_CLASSES);

/** Counts people first read within a day whom an email address alone explains. */
function countByEmail(state: FlowState, now: number): number {
  let count = 0;
  for (const person of state.subjects.rows.values())
    if (explanationOf(person) === EXPLANATION.byEmail && firstRead(person, ALL, now) > 0) count++;
  return count;
}
