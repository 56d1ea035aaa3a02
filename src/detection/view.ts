import type { FlowContext } from "./event.ts";
import { type DataClass, PERSONAL_CLASSES } from "./labels.ts";
import { type Rule, type RuleOf, ruleKey } from "./rules.ts";
import { counterOf } from "./state/counters.ts";
import type { Distinct } from "./state/distinct.ts";
import type { FlowState } from "./state/state.ts";
import {
  EXPLANATION,
  KNOWN_MS,
  type Person,
  classIndexes,
  explanationOf,
  firstRead,
  gatheredAt,
  seenAt,
} from "./state/subjects.ts";
import { DAY, inWindow } from "./window.ts";

/**
 * The detector's memory of one caller, for people to look at. People are tokens, never ids. Times are milliseconds
 * since the epoch.
 */
export interface FlowView {
  /** Latest first. `classes` are those read of the person within a day. */
  people: { token: string; seen_at: number; classes: DataClass[] }[];
  /** Per counting rule: the count so far and the limit. */
  counts: {
    rule: string;
    what: "people" | "records" | "bytes" | "products";
    window_ms: number;
    observed: number;
    /** Whether `observed` is the upper end of an estimate. */
    isEstimate: boolean;
    max: number;
  }[];
  /** The last answer whose text reads like an instruction, and the attempt that it answered. */
  taint: { at: number; attempt: number } | null;
  /** While it stands, all calls with labels are refused. */
  block: { rule: string; at: number; until: number; observed: number; threshold: number } | null;
  /** Decisions to let calls pass a rule that are still valid. */
  releases: { rule: string; at: number; until: number; allowance: number }[];
}

/** Builds the view without changing the state. */
export function viewOf(
  state: FlowState,
  rules: readonly Rule[],
  { catalogSize }: FlowContext,
  now: number,
): FlowView {
  const { taint, block } = state.marks;
  return {
    people: [...state.subjects.rows]
      .filter(([, person]) => inWindow(seenAt(person), now, KNOWN_MS))
      .map(([token, person]) => ({ token, seen_at: seenAt(person), classes: classesOf(person, now) }))
      .toSorted((a, b) => b.seen_at - a.seen_at),
    counts: rules
      .filter(({ mode }) => mode !== "off")
      .flatMap((rule) => countsOf(state, rule, catalogSize, now)),
    taint: taint === undefined ? null : { at: taint.at, attempt: taint.attempt },
    block: block === undefined || block.until <= now ? null : standing(block),
    releases: state.releases
      .active(now)
      .map(({ rule, at, until, allowance }) => ({ rule, at, until, allowance })),
  };
}

const standing = ({ rule, at, until, observed, threshold }: NonNullable<FlowView["block"]>) => ({
  rule,
  at,
  until,
  observed,
  threshold,
});

const classesOf = (person: Person, now: number): DataClass[] =>
  PERSONAL_CLASSES.filter((_, index) => inWindow(gatheredAt(person, index), now, KNOWN_MS));

function countsOf(state: FlowState, rule: Rule, catalogSize: number, now: number): FlowView["counts"] {
  const of = { rule: rule.id, isEstimate: false };
  const allowed = state.releases.allowance(rule.id, now);
  const total = (window: number) => state.counters.total(counterOf(ruleKey(rule), window), now);
  if (rule.kind === "subjects") {
    return rule.limits.map(({ window, max }) => {
      const observed = window > KNOWN_MS ? total(window) : peopleIn(state, rule, window, now);
      return { ...of, what: "people" as const, window_ms: window, observed, max: max + allowed };
    });
  }
  if (rule.kind === "budget") {
    return rule.limits.map(({ window, max }) => ({
      ...of,
      what: rule.of,
      window_ms: window,
      observed: total(window),
      max,
    }));
  }
  if (rule.kind !== "products") return [];
  return rule.limits.map(({ window, share, least }) => {
    const max = Math.max(Math.floor(share * catalogSize), least) + allowed;
    const seen: Distinct = window <= DAY ? state.productsOfDay : state.productsOfMonth;
    const observed = seen.count(now, window, []).seen;
    return {
      ...of,
      what: "products" as const,
      window_ms: window,
      observed,
      isEstimate: seen.isEstimate,
      max,
    };
  });
}

function peopleIn(state: FlowState, rule: RuleOf<"subjects">, window: number, now: number): number {
  const indexes = classIndexes(rule.classes ?? PERSONAL_CLASSES);
  const read = [...state.subjects.rows.values()].filter((person) => {
    const at = firstRead(person, indexes, now);
    if (rule.unexplained !== undefined && explanationOf(person) !== EXPLANATION.none) return false;
    return at > 0 && inWindow(at, now, window);
  });
  return read.length + state.evicted.count(now, window);
}
