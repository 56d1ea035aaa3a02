import type { BUSY, Finding } from "../decision.ts";
import type { FlowCall, FlowContext, FlowResult } from "../event.ts";
import type { DataClass } from "../labels.ts";
import type { Rule } from "../rules.ts";
import type { FlowState } from "../state/state.ts";

/** A rule with its handlers. Every handler is optional and keeps nothing outside the state. */
export interface CompiledRule {
  rule: Rule;
  /** The rule sees only calls whose answers may hold one of these classes; absent: all calls. */
  classes?: readonly DataClass[] | undefined;
  /** The rule sees only calls whose answers can't hold any of these; absent: all calls. */
  except_classes?: readonly DataClass[] | undefined;
  /** The rule sees only calls that do one of these; absent: all calls. */
  kinds?: FlowCall["kinds"] | undefined;
  /**
   * Checks a call that is about to run; returns `BUSY` if it may fit once calls in flight are settled. Changes nothing.
   */
  before?(state: FlowState, call: FlowCall, context: FlowContext): Finding | typeof BUSY | undefined;
  /** Notes that the call will run. */
  admitted?(state: FlowState, call: FlowCall): void;
  /** Checks an answer that has not been sent yet. Changes nothing. */
  after?(state: FlowState, call: FlowCall, result: FlowResult): Finding | undefined;
  /** Notes a sent answer. Runs before the people in it are noted in the state. */
  answered?(state: FlowState, call: FlowCall, result: FlowResult): void;
}

/** The handlers of one kind of rule, before the rule is attached. */
export type RuleHandler = Omit<CompiledRule, "rule">;

/** Returns whether a rule with these classes and kinds applies to a call. */
export const appliesTo = (
  { classes, except_classes, kinds }: Pick<CompiledRule, "classes" | "except_classes" | "kinds">,
  call: Pick<FlowCall, "classes" | "kinds">,
): boolean =>
  (classes === undefined || overlaps(classes, call.classes)) &&
  (except_classes === undefined || !overlaps(except_classes, call.classes)) &&
  (kinds === undefined || overlaps(kinds, call.kinds));

export const overlaps = (a: readonly string[], b: readonly string[]): boolean => {
  for (const each of a) if (b.includes(each)) return true;
  return false;
};
