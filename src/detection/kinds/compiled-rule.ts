import type { BUSY, Finding } from "../decision.ts";
import type { FlowCall, FlowContext, FlowResult } from "../event.ts";
import type { DataClass } from "../labels.ts";
import type { Rule } from "../rules.ts";
import type { FlowState } from "../state/state.ts";

/** A rule at work. Each step is optional; none keeps anything outside the state. */
export interface CompiledRule {
  rule: Rule;
  /** It is only asked about calls whose answers may hold any of these; absent: about all. */
  classes?: readonly DataClass[] | undefined;
  /** Likewise, about calls that do any of these. */
  kinds?: FlowCall["kinds"] | undefined;
  /** Whether the call, about to run, passes the rule's limits; `BUSY` if it may fit once others are settled. Changes nothing. */
  before?(state: FlowState, call: FlowCall, context: FlowContext): Finding | typeof BUSY | undefined;
  /** The call will run. */
  admitted?(state: FlowState, call: FlowCall): void;
  /** Whether the answer, not yet given, passes the rule's limits. Changes nothing. */
  after?(state: FlowState, call: FlowCall, result: FlowResult): Finding | undefined;
  /** The answer is given. Runs before the people in it are noted in the state. */
  answered?(state: FlowState, call: FlowCall, result: FlowResult): void;
}

/** What one kind of rule does, before it is given its rule. */
export type RuleHandler = Omit<CompiledRule, "rule">;

/** Whether a rule that is asked about some classes and kinds has a say about a call. */
export const isWatched = (
  { classes, kinds }: Pick<CompiledRule, "classes" | "kinds">,
  call: Pick<FlowCall, "classes" | "kinds">,
): boolean =>
  (classes === undefined || shareClass(classes, call.classes)) &&
  (kinds === undefined || shareClass(kinds, call.kinds));

export const shareClass = (a: readonly string[], b: readonly string[]): boolean => {
  for (const each of a) if (b.includes(each)) return true;
  return false;
};
