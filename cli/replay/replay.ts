import { type Verdict, isRefused, strictest } from "../../src/flow/decision.ts";
import { type Detector, admit, settle } from "../../src/flow/detector.ts";
import { isPersonal } from "../../src/flow/labels.ts";
import { FlowState } from "../../src/flow/state/state.ts";
import type { RecordedCall, Recording } from "./recording.ts";

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
}

export interface Details extends Replayed {
  /** Rules in shadow mode that spoke. */
  shadow: string[];
  /** Microseconds of processor time in the detector: what else the machine does does not matter. */
  us: number;
  calls: number;
}

/**
 * Runs the detector over a record. A refused call reveals nothing and the record goes on as it was: nobody waits out a
 * throttle, and nobody confirms. After a block every call is refused. Calls of the same time are in flight together: all
 * are admitted before the first of them is settled.
 */
export function replay(recording: Recording, detector: Detector): Details {
  const state = new FlowState(detector.rules);
  const verdicts = new Set<Verdict>();
  const rules = { enforce: new Set<string>(), shadow: new Set<string>() };
  const answered: RecordedCall[] = [];
  let enforcedAt: number | null = null;
  const context = { catalogSize: recording.catalogSize };

  const timed = (decide: () => ReturnType<typeof admit>, { index }: RecordedCall, isBinding: boolean) => {
    const { verdict, hits } = decide();
    verdicts.add(verdict);
    for (const { rule, mode } of hits) rules[mode].add(rule);
    const isStopped = isBinding && isRefused(verdict);
    if (isStopped) enforcedAt = Math.min(enforcedAt ?? index, index);
    return !isStopped;
  };

  const calls = groups(recording.calls);
  const started = process.threadCpuUsage();
  for (const together of calls) {
    const running = together.filter((each) =>
      timed(() => admit(state, detector, each.call, context), each, true),
    );
    for (const each of running) {
      const isGiven = timed(
        () => settle(state, detector, each.call, each.result),
        each,
        isPersonal(each.call),
      );
      if (isGiven) answered.push(each);
      state.forgetChanges();
    }
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
    shadow: [...rules.shadow],
    us: user + system,
    calls: recording.calls.length,
  };
}

function groups(calls: readonly RecordedCall[]): RecordedCall[][] {
  const all: RecordedCall[][] = [];
  for (const each of calls) {
    const last = all.at(-1);
    if (last?.[0]?.call.at === each.call.at) last.push(each);
    else all.push([each]);
  }
  return all;
}

/** The line that is printed. */
export const lineOf = ({
  id,
  action,
  enforced_at,
  subjects_before,
  objects_before,
  rules,
}: Replayed): Replayed => ({
  id,
  action,
  enforced_at,
  subjects_before,
  objects_before,
  rules,
});
