import * as z from "zod";
import { type Decision, isRefused } from "../../../../src/detection/decision.ts";
import { type Detector, admit, detectorOf, settle } from "../../../../src/detection/detector.ts";
import type { FlowCall, FlowResult } from "../../../../src/detection/event.ts";
import { rulesSchema } from "../../../../src/detection/rules.ts";
import { FlowState } from "../../../../src/detection/state/state.ts";

export const START = Date.UTC(2026, 5, 1);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const CONTEXT = { catalogSize: 4_000 };

type RuleInput = z.input<typeof rulesSchema>[number];
type Rest<R> = R extends RuleInput ? Omit<R, "id" | "version" | "mode" | "verdict"> & Partial<R> : never;

export const rulesOf = (...rules: Rest<RuleInput>[]) =>
  rulesSchema.parse(
    rules.map((rule, index) => ({
      id: `rule-${index}`,
      version: 1,
      mode: "enforce",
      verdict: "confirm",
      ...rule,
    })),
  );

let attempts = 0;

/** A read of one class of one person, unless `changes` says otherwise. */
export const callOf = (changes: Partial<FlowCall> = {}): FlowCall => {
  const subjects = changes.subjects ?? [];
  const classes = changes.classes ?? ["identity"];
  return {
    at: START,
    attempt: ++attempts,
    tool: "some_tool",
    roles: ["support"],
    classes,
    kinds: ["source"],
    subjects,
    objects: [],
    neighbourhoods: [],
    cost: { records: 1, bytes: 100 },
    unnamed: { subject: subjects.length === 0 && !classes.includes("catalog"), objects: 0 },
    ...changes,
  };
};

export const resultOf = (call: FlowCall, changes: Partial<FlowResult> = {}): FlowResult => ({
  at: call.at,
  subjects: call.subjects,
  objects: call.objects,
  records: 1,
  bytes: 100,
  missed: false,
  tainted: false,
  canary: false,
  ...changes,
});

/** A caller whose calls run one after the other. */
export class Caller {
  readonly detector: Detector;
  readonly state: FlowState;
  now = START;

  readonly context: typeof CONTEXT;

  constructor(rules: ReturnType<typeof rulesOf>, context = CONTEXT) {
    this.context = context;
    this.detector = detectorOf(rules);
    this.state = new FlowState(rules);
  }

  admit(changes: Partial<FlowCall>): { call: FlowCall; decision: Decision } {
    const call = callOf({ at: this.now, ...changes });
    return { call, decision: admit(this.state, this.detector, call, this.context) };
  }

  settle(call: FlowCall, changes: Partial<FlowResult> = {}): Decision {
    return settle(this.state, this.detector, call, resultOf(call, { at: this.now, ...changes }));
  }

  /** Returns the stricter of the decisions before and after the call ran. */
  do(changes: Partial<FlowCall>, result: Partial<FlowResult> = {}): Decision {
    const { call, decision } = this.admit(changes);
    if (isRefused(decision.verdict)) return decision;
    const after = this.settle(call, result);
    return after.verdict === "allow" ? decision : after;
  }
}
