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

/** What a policy would have said to a recorded caller. */
export interface Replayed {
  id: string;
  /** The strictest verdict of any call. */
  action: Verdict;
  /** Place of the first call that was refused, or whose answer was withheld; null for none. */
  enforced_at: number | null;
  /** Different people and products in what was answered before that call, or at all. */
  subjects_before: number;
  objects_before: number;
  /** Enforced rules that spoke, flags included. */
  rules: string[];
  /** Calls that the rate windows refused; absent where there were none, or nobody asked. */
  rate_limited?: number;
}

export interface Details extends Replayed {
  /** Different people in what was answered at all: those in flight beside the stopped call too. */
  subjects_answered: number;
  /** Rules in shadow mode that spoke. */
  shadow: string[];
  /** Microseconds of processor time in the detector: what else the machine does does not matter. */
  us: number;
  calls: number;
}

/**
 * Runs the detector over a record. A refused call reveals nothing and the record goes on as it was: nobody waits out a
 * throttle, and nobody confirms but who did in the record. After a block every call is refused. Where a record does not
 * say when calls were settled, those of the same time are in flight together: all are admitted before the first is settled.
 * Calls that are `limited`, by their numbers, the rate windows refuse; where it is absent, those that they refused then.
 */
export function replay(
  recording: Recording,
  detector: Detector,
  onDecision: (recorded: RecordedCall, decision: Decision) => void = () => {},
  limited?: ReadonlySet<number>,
): Details {
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
  return {
    id: recording.id,
    action: strictest([...verdicts]),
    enforced_at: enforcedAt,
    subjects_before: new Set(before.flatMap((each) => each.answered.subjects)).size,
    objects_before: new Set(before.flatMap((each) => each.answered.products)).size,
    rules: [...rules.enforce],
    ...(limited !== undefined && limited.size > 0 && { rate_limited: limited.size }),
    subjects_answered: new Set(answered.flatMap((each) => each.answered.subjects)).size,
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

/** The line that is printed. */
export const lineOf = ({
  id,
  action,
  enforced_at,
  subjects_before,
  objects_before,
  rules,
  rate_limited,
}: Replayed): Replayed => ({
  id,
  action,
  enforced_at,
  subjects_before,
  objects_before,
  rules,
  ...(rate_limited !== undefined && { rate_limited }),
});
