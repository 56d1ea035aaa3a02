import { type Decision, type Verdict, isRefused, strictest } from "../../src/detection/decision.ts";
import {
  type Detector,
  abandon,
  admit,
  mustWithhold,
  release,
  settle,
} from "../../src/detection/detector.ts";
import { FlowState } from "../../src/detection/state/state.ts";
import type { RecordedCall, Recording, Step } from "./recording.ts";

/** The decisions of a policy on a recorded caller, as they are printed. */
export interface Replayed {
  id: string;
  /** The strictest verdict of any call. */
  action: Verdict;
  /** Index of the first call that was refused or whose answer was withheld; null if there is none. */
  enforced_at: number | null;
  /** Distinct people and products answered before that call, or in total. */
  subjects_before: number;
  objects_before: number;
  /** Enforced rules that gave a verdict, flags included. */
  rules: string[];
  /** Calls that the rate windows refused; absent if there were none or they were not replayed. */
  rate_limited?: number;
}

export interface Replay {
  line: Replayed;
  /** Distinct people answered in total, including calls in flight beside the stopped call. */
  subjectsAnswered: number;
  /** Rules in shadow mode that gave a verdict. */
  shadow: string[];
  /** Microseconds of processor time in the detector, so that other load on the machine does not count. */
  us: number;
  calls: number;
}

/**
 * Runs the detector over a record. A refused call reveals nothing, and the record continues unchanged: nobody
 * waits out a throttle, and only the record's own confirmations count. After a block every call is refused.
 * If a record does not say when calls were settled, calls of the same time are in flight together: all are
 * admitted before the first is settled. The rate windows refuse the calls in `limited`, by number; without
 * it, those that they refused when recorded.
 */
export function replay(
  recording: Recording,
  detector: Detector,
  onDecision: (recorded: RecordedCall, decision: Decision) => void = () => {},
  limited?: ReadonlySet<number>,
): Replay {
  const state = new FlowState(detector.rules);
  const verdicts = new Set<Verdict>();
  const rules = { enforce: new Set<string>(), shadow: new Set<string>() };
  const running = new Set<RecordedCall>();
  const answered: RecordedCall[] = [];
  let enforcedAt: number | null = null;

  const note = (decision: Decision, recorded: RecordedCall, isStopped: boolean): boolean => {
    onDecision(recorded, decision);
    verdicts.add(decision.verdict);
    for (const { rule, mode } of decision.hits) rules[mode].add(rule);
    if (isStopped) enforcedAt = Math.min(enforcedAt ?? recorded.index, recorded.index);
    return !isStopped;
  };

  const isLimited = ({ call, wasLimited = false }: RecordedCall) => limited?.has(call.attempt) ?? wasLimited;
  const steps = recording.steps ?? stepsOf(recording.calls);
  const started = process.threadCpuUsage();
  for (const step of steps) {
    if (step.kind === "release") release(state, detector, step.release);
    else if (step.kind === "admit") {
      const { recorded } = step;
      if (isLimited(recorded)) continue;
      const context = { catalogSize: recorded.catalogSize ?? recording.catalogSize };
      const { call, released = [] } = recorded;
      state.releases.releaseAttempt(call.attempt, released);
      const decision = admit(state, detector, call, context);
      state.releases.releaseAttempt(call.attempt, []);
      if (note(decision, recorded, isRefused(decision.verdict))) running.add(recorded);
    } else if (running.delete(step.recorded)) {
      const { call, result } = step.recorded;
      if (step.kind === "abandon") abandon(state, detector, call.attempt, result.at);
      else {
        const decision = settle(state, detector, call, result);
        if (note(decision, step.recorded, mustWithhold(call, result, decision))) answered.push(step.recorded);
      }
    }
    state.forgetChanges();
  }
  const { user, system } = process.threadCpuUsage(started);
  const before = answered.filter(({ index }) => enforcedAt === null || index < enforcedAt);
  const distinct = (of: readonly RecordedCall[], what: "subjects" | "products") =>
    new Set(of.flatMap((each) => each.answered[what])).size;
  return {
    line: {
      id: recording.id,
      action: strictest([...verdicts]),
      enforced_at: enforcedAt,
      subjects_before: distinct(before, "subjects"),
      objects_before: distinct(before, "products"),
      rules: [...rules.enforce],
      ...(limited !== undefined && limited.size > 0 && { rate_limited: limited.size }),
    },
    subjectsAnswered: distinct(answered, "subjects"),
    shadow: [...rules.shadow],
    us: user + system,
    calls: recording.calls.length,
  };
}

function stepsOf(calls: readonly RecordedCall[]): Step[] {
  const groups: RecordedCall[][] = [];
  for (const each of calls) {
    const last = groups.at(-1);
    if (last?.[0]?.call.at === each.call.at) last.push(each);
    else groups.push([each]);
  }
  return groups.flatMap((together) =>
    (["admit", "settle"] as const).flatMap((kind) => together.map((recorded) => ({ kind, recorded }))),
  );
}
