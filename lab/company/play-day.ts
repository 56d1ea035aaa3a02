import { isRefused } from "../../src/detection/decision.ts";
import { type Detector, admit, mustWithhold, settle } from "../../src/detection/detector.ts";
import { type FlowCall, type FlowResult, NEWCOMERS, SHARED } from "../../src/detection/event.ts";
import { isPersonal } from "../../src/detection/labels.ts";
import { FlowState } from "../../src/detection/state/state.ts";
import type { CompanyCaller, Origin } from "./day.ts";

interface PlayedDay {
  /** Honest callers, and whether a rule of their own or a budget that they share refused them anything. */
  agents: { isNew: boolean; own: boolean; shared: boolean }[];
  /** Distinct people whom the attackers read. */
  stolen: number;
}

/**
 * Plays all calls of a day in the order of time, as the guard does: the caller's own object judges a call, then the
 * object of the admin who made a new account, then that of all new callers. Attackers stop at their first refusal, honest callers go on.
 */
export function playDay(callers: readonly CompanyCaller[], detector: Detector): PlayedDay {
  const played = callers.map((caller) => ({
    ...caller,
    isNew: caller.origin !== undefined,
    state: new FlowState(detector.rules),
    own: false,
    isOver: false,
  }));
  const shared = { "one admin": new FlowState(detector.rules), all: new FlowState(detector.rules) };
  const stolen = new Set<string>();
  let attempts = 0;
  const calls = played
    .flatMap((caller) => caller.recording.calls.map((recorded) => ({ caller, recorded })))
    .toSorted((a, b) => a.recorded.call.at - b.recorded.call.at);
  for (const { caller, recorded } of calls) {
    if (!caller.isHonest && (caller.own || caller.isOver)) continue;
    const { call, result, answered } = recorded;
    const { state } = caller;
    const context = { catalogSize: caller.recording.catalogSize };
    if (isRefused(admit(state, detector, call, context).verdict)) {
      caller.own = true;
      continue;
    }
    attempts += 1;
    const budgets = sharedBy(caller.origin).filter(() => isPersonal(call));
    const mayRead = (budget: keyof typeof shared) =>
      isWithin(shared[budget], detector, { ...call, attempt: attempts, roles: ROLES[budget] }, result);
    if (!budgets.every(mayRead)) {
      caller.isOver = true;
      settle(state, detector, call, { ...result, subjects: [], objects: [], records: 0, missed: true });
      continue;
    }
    const decision = settle(state, detector, call, result);
    if (mustWithhold(call, result, decision)) caller.own = true;
    else if (!caller.isHonest) for (const person of answered.subjects) stolen.add(person);
  }
  const agents = played
    .filter(({ isHonest }) => isHonest)
    .map(({ isNew, own, isOver }) => ({ isNew, own, shared: isOver }));
  return { agents, stolen: stolen.size };
}

/** Markers of a call that counts in the object of the admin, or of all new callers. */
const ROLES = { "one admin": ["support", SHARED], all: ["support", SHARED, NEWCOMERS] };

/** Returns the shared budgets in which a caller's calls count, in order. */
function sharedBy(origin: Origin | undefined): (keyof typeof ROLES)[] {
  if (origin === undefined) return [];
  return origin === "one admin" ? ["one admin", "all"] : ["all"];
}

/** Counts a call in a shared budget, as src/guard/shared-budget.ts does. Returns whether its answer may be given. */
function isWithin(state: FlowState, detector: Detector, call: FlowCall, result: FlowResult): boolean {
  const counted = { ...call, objects: [], neighbourhoods: [] };
  if (isRefused(admit(state, detector, counted, { catalogSize: 0 }).verdict)) return false;
  const people = { ...result, objects: [], tainted: false, canary: false };
  return !mustWithhold(counted, people, settle(state, detector, counted, people));
}
