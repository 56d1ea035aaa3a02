import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Decision, isRefused } from "../../../src/detection/decision.ts";
import {
  admit,
  detectorOf,
  mustWithhold,
  recallAttempt,
  recallOutcome,
  release,
  settle,
} from "../../../src/detection/detector.ts";
import type { FlowCall, FlowResult } from "../../../src/detection/event.ts";
import { DATA_CLASSES } from "../../../src/detection/labels.ts";
import { Distinct, hashOf } from "../../../src/detection/state/distinct.ts";
import type { FlowRow } from "../../../src/detection/state/part.ts";
import { FlowState } from "../../../src/detection/state/state.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { CONTEXT, HOUR, MINUTE, START, callOf, resultOf, rulesOf } from "./support/calls.ts";

/** Every kind, with limits so low that a handful of calls reaches them. */
const TIGHT = rulesOf(
  {
    kind: "subjects",
    limits: [
      { window: "10m", max: 4 },
      { window: "24h", max: 9 },
      { window: "7d", max: 20 },
    ],
  },
  { kind: "profile", classes: ["identity", "orders"], verdict: "flag", limits: [{ window: "1h", max: 1 }] },
  {
    kind: "sequence",
    per: "subject",
    mode: "shadow",
    steps: [{ classes: ["identity"] }, { classes: ["orders"] }, { classes: ["payment"] }],
    limits: [{ window: "1h", max: 0 }],
  },
  {
    kind: "sequence",
    per: "caller",
    verdict: "flag",
    steps: [{ classes: ["payment"] }, { kinds: ["write"] }],
    limits: [{ window: "1h", max: 1 }],
  },
  {
    kind: "budget",
    classes: ["orders", "catalog"],
    of: "records",
    verdict: "throttle",
    limits: [{ window: "1h", max: 60 }],
  },
  {
    kind: "products",
    verdict: "throttle",
    limits: [
      { window: "24h", share: 0.001, least: 8 },
      { window: "7d", share: 0.001, least: 30 },
    ],
  },
  { kind: "adjacency", classes: ["orders"], verdict: "flag", limits: [{ window: "1h", max: 2 }] },
  { kind: "misses", classes: ["identity"], verdict: "flag", limits: [{ window: "1h", max: 2, share: 0.3 }] },
  {
    kind: "misses",
    classes: ["catalog"],
    verdict: "throttle",
    limits: [{ window: "1h", max: 3, share: 0.3 }],
  },
  { kind: "canary", verdict: "flag" },
  { kind: "taint", next: ["write"], window: "15m" },
  { kind: "flooding", verdict: "flag", limits: [{ window: "24h", max: 0 }] },
);

const names = (prefix: string, count: number, maxLength = 3) =>
  fc.uniqueArray(
    fc.integer({ min: 0, max: count - 1 }).map((index) => `${prefix}${index}`),
    { maxLength },
  );
const step = fc.record({
  wait: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 * MINUTE }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 30 * HOUR }) },
  ),
  classes: fc.subarray([...DATA_CLASSES], { minLength: 1, maxLength: 3 }),
  kinds: fc.subarray(["source" as const, "write" as const], { minLength: 1 }),
  subjects: names("person-", 60),
  objects: names("thing-", 60),
  neighbourhoods: names("run-", 6),
  found: names("person-", 90, 8),
  missed: fc.boolean(),
  missing: names("thing-", 60),
  /** Arguments repeat. */
  digest: fc.constantFrom("one", "two", "three", undefined),
  tainted: fc.boolean(),
  canary: fc.boolean(),
  /** The call is settled this many steps later, or never. */
  settledAfter: fc.option(fc.integer({ min: 0, max: 4 }), { freq: 5 }),
  release: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Runs the steps. After every decision `between` returns the state to go on with. */
function decisionsOf(steps: readonly Step[], rules: typeof TIGHT, between: (state: FlowState) => FlowState) {
  const detector = detectorOf(rules);
  let state = new FlowState(rules);
  let now = START;
  const decisions: Decision[] = [];
  const recalled = new FlowState(rules);
  // The audit keeps the first of repeated refusals within a window.
  let refused: { decision: Decision; until: number } | undefined;
  const running: { due: number; call: FlowCall; result: FlowResult }[] = [];
  for (const [index, each] of steps.entries()) {
    now += each.wait;
    for (const { call, result } of running.splice(0).filter((waiting) => {
      if (waiting.due <= index) return true;
      running.push(waiting);
      return false;
    })) {
      const decision = settle(state, detector, call, { ...result, at: now });
      decisions.push(decision);
      const { hits } = decision;
      const isWithheld = mustWithhold(call, result, decision);
      recallOutcome(recalled, detector, call, { ...result, at: now }, { isWithheld, hits });
      state = between(state);
    }
    const call = callOf({
      at: now,
      attempt: index + 1,
      classes: each.classes,
      kinds: each.kinds,
      subjects: each.classes.some((name) => name !== "catalog") ? each.subjects : [],
      objects: each.objects,
      neighbourhoods: each.neighbourhoods,
      cost: { records: 5, bytes: 10 },
      digest: each.digest,
      unnamed: { subject: each.subjects.length === 0, objects: each.found.length },
    });
    const decision = admit(state, detector, call, CONTEXT);
    decisions.push(decision);
    const isAdmitted = !isRefused(decision.verdict);
    const before = refused !== undefined && now < refused.until ? refused.decision : undefined;
    if (isAdmitted || !isRepeated(decision, before))
      recallAttempt(recalled, detector, call, { isAdmitted, hits: decision.hits });
    if (!isAdmitted && !isRepeated(decision, before)) refused = { decision, until: now + RUN_MS };
    state = between(state);
    if (!isRefused(decision.verdict) && each.settledAfter !== null) {
      const { missed, missing, tainted, canary, found } = each;
      const result = resultOf(call, { missed, missing, tainted, canary, subjects: missed ? [] : found });
      running.push({ due: index + each.settledAfter, call, result });
    }
    if (each.release) {
      const subject = each.found[0] ?? null;
      const agreed = { rule: "rule-0", subject, at: now, until: now + HOUR, allowance: 1 };
      release(state, detector, agreed);
      release(recalled, detector, agreed);
      refused = undefined;
      state = between(state);
    }
  }
  return { decisions, state, recalled, now };
}

/** As long as a rate window. */
const RUN_MS = 60_000;
const refusedBy = ({ verdict, hits }: Decision) =>
  hits.find((hit) => hit.mode === "enforce" && hit.verdict === verdict)?.rule;
const isRepeated = (decision: Decision, before: Decision | undefined) =>
  before?.verdict === decision.verdict && refusedBy(before) === refusedBy(decision);
const sorted = (rows: FlowRow[]) => rows.toSorted((a, b) => (a.key < b.key ? -1 : 1));

/** Enforced, in shadow (nothing is refused and memory fills up), and with blocks. */
const rulesIn = fc.constantFrom(
  TIGHT,
  TIGHT.map((rule) => ({ ...rule, mode: "shadow" as const })),
  TIGHT.map((rule, index) => (index === 0 ? { ...rule, verdict: "block" as const } : rule)),
);

describe("state", () => {
  it("rebuilt from its rows between any two calls, decides as if it had stayed in memory", () => {
    const hitRules = new Set<string>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 100, size: "max" }), rulesIn, (steps, rules) => {
        const stored = new Map<string, FlowRow["value"]>();
        const kept = decisionsOf(steps, rules, (state) => state);
        const evicted = decisionsOf(steps, rules, (state) => {
          for (const { key, value } of state.takeChanges()) {
            if (value === undefined) stored.delete(key);
            else stored.set(key, value);
          }
          const rows: FlowRow[] = JSON.parse(
            JSON.stringify([...stored].map(([key, value]) => ({ key, value }))),
          );
          return FlowState.of(rows.toReversed(), rules);
        });
        expect(evicted.decisions).toEqual(kept.decisions);
        for (const { rule } of kept.decisions.flatMap(({ hits }) => hits)) hitRules.add(rule);
        expect(sorted(evicted.state.rows())).toEqual(sorted(kept.state.rows()));
      }),
      { numRuns: 120 },
    );
    // Every rule must have hit at least once, or the comparison would prove nothing.
    expect([...hitRules].toSorted()).toEqual(TIGHT.map(({ id }) => id).toSorted());
  });

  it("replayed from the audit's records, is the same", () => {
    const steps = fc.array(step, { minLength: 1, maxLength: 100, size: "max" });
    fc.assert(
      fc.property(steps, rulesIn, (each, rules) => {
        const { state, recalled, now } = decisionsOf(each, rules, (same) => same);
        const blockOf = ({ marks }: FlowState) => ((marks.block?.until ?? 0) > now ? marks.block : undefined);
        expect(blockOf(recalled)).toEqual(blockOf(state));
        // Expired entries are dropped when the next recorded calls arrive.
        for (const attempt of [101, 102]) {
          const last = callOf({ at: START + 9_000 * HOUR, attempt });
          for (const one of [state, recalled])
            recallAttempt(one, detectorOf(rules), last, { isAdmitted: true, hits: [] });
        }
        expect(sorted(recalled.rows())).toEqual(sorted(state.rows()));
      }),
      { numRuns: 40 },
    );
  });

  it("answers no more people than the limit, whatever the interleaving", () => {
    const rules = rulesOf({ kind: "subjects", limits: [{ window: "10m", max: 5 }] });
    const detector = detectorOf(rules);
    const order = fc.array(
      fc.record({ person: fc.nat(30), isNamed: fc.boolean(), pick: fc.nat(1_000), settle: fc.boolean() }),
      {
        minLength: 20,
        maxLength: 120,
      },
    );
    fc.assert(
      fc.property(order, (moves) => {
        const state = new FlowState(rules);
        const running: { call: FlowCall; person: string }[] = [];
        const answered = new Set<string>();
        const settleOne = (pick: number) => {
          const [one] = running.splice(pick % running.length, 1);
          if (one === undefined) return;
          const decision = settle(state, detector, one.call, resultOf(one.call, { subjects: [one.person] }));
          if (!isRefused(decision.verdict)) answered.add(one.person);
        };
        for (const { person, isNamed, pick, settle: isSettling } of moves) {
          const name = `person-${person}`;
          const call = callOf(isNamed ? { subjects: [name] } : {});
          if (!isRefused(admit(state, detector, call, CONTEXT).verdict)) running.push({ call, person: name });
          if (isSettling && running.length > 0) settleOne(pick);
        }
        while (running.length > 0) settleOne(0);
        expect(answered.size).toBeLessThanOrEqual(5);
        expect(answered.size).toBe(Math.min(5, new Set(moves.map(({ person }) => person)).size));
      }),
      { numRuns: 100 },
    );
  });

  it("stays bounded under a flood that no rule stops", () => {
    const rules = policyInForce().rules.map((rule) => ({ ...rule, mode: "shadow" as const }));
    const detector = detectorOf(rules);
    const state = new FlowState(rules);
    let hit = 0;
    for (let index = 0; index < 4_000; index++) {
      const id = `${index}abcdefgh`.slice(0, 12);
      const isAboutPeople = index % 2 === 0;
      const call = callOf({
        at: START + index * 20_000,
        attempt: index + 1,
        classes: isAboutPeople ? ["identity", "contact", "orders", "payment"] : ["catalog"],
        subjects: isAboutPeople ? [`s${id}`] : [],
        objects: [`o${id}`, `p${id}`, `q${id}`],
        neighbourhoods: [`n${id}`],
      });
      const { hits } = admit(state, detector, call, CONTEXT);
      if (hits.some(({ rule }) => rule === "memory-flooding")) hit++;
      if (index % 3 > 0) settle(state, detector, call, resultOf(call));
      state.takeChanges();
    }
    expect(hit).toBeGreaterThan(1_000);
    expect(JSON.stringify(state.rows()).length).toBeLessThan(32 * 1024);
    expect(state.rows().length).toBeLessThan(200);
  });

  it("drops rows of removed rules", () => {
    const before = rulesOf({
      kind: "budget",
      classes: ["identity"],
      of: "records",
      limits: [{ window: "1h", max: 9 }],
    });
    const after = before.map((rule) => ({ ...rule, version: 2 }));
    const state = new FlowState(before);
    const call = callOf({ subjects: ["a"] });
    admit(state, detectorOf(before), call, CONTEXT);
    settle(state, detectorOf(before), call, resultOf(call));
    const rebuilt = FlowState.of(state.rows(), after);
    expect(rebuilt.takeChanges()).toEqual([{ key: "c:rule-0@1", value: undefined }]);
    expect(rebuilt.rows().map(({ key }) => key)).toEqual(["s:a"]);
  });
});

describe("distinct counts", () => {
  const fill = (count: number, name = "thing") => {
    const distinct = new Distinct("x:", { keptMs: 24 * HOUR, capacity: 500 });
    for (let index = 0; index < count; index++) distinct.see(hashOf(`${name} ${index}`), START);
    return distinct.count(START, HOUR, []).seen;
  };

  it("are exact up to the capacity", () => {
    expect([0, 1, 199, 200, 499, 500].map((count) => fill(count))).toEqual([0, 1, 199, 200, 499, 500]);
  });

  it.each([600, 921, 5_000])(
    "past it, %i are overestimated by a tenth on average, and underestimated once in forty",
    (count) => {
      const shares = Array.from({ length: 120 }, (_, run) => fill(count, `run ${run} thing`) / count);
      const mean = shares.reduce((sum, each) => sum + each, 0) / shares.length;
      expect(mean).toBeGreaterThan(1.03);
      expect(mean).toBeLessThan(1.15);
      expect(Math.max(...shares)).toBeLessThan(1.4);
      expect(shares.filter((each) => each < 1).length / shares.length).toBeLessThan(0.07);
    },
  );

  it("are exact again once everything seen has expired, however much it was", () => {
    const distinct = new Distinct("x:", { keptMs: 24 * HOUR, capacity: 500 });
    for (let index = 0; index < 5_000; index++) distinct.see(hashOf(`before ${index}`), START);
    const later = START + 24 * HOUR;
    for (let index = 0; index < 300; index++) distinct.see(hashOf(`after ${index}`), later);
    expect(distinct.count(later, HOUR, []).seen).toBe(300);
    const again = new Distinct("x:", { keptMs: 24 * HOUR, capacity: 500 });
    again.load("", distinct.value(""));
    expect(again.count(later, HOUR, []).seen).toBe(300);
  });

  it("leave with the window", () => {
    const distinct = new Distinct("x:", { keptMs: 24 * HOUR, capacity: 500 });
    distinct.see(1, START);
    expect(distinct.count(START + HOUR - 1, HOUR, [1, 2])).toEqual({ seen: 1, added: 1 });
    expect(distinct.count(START + HOUR, HOUR, [1, 2])).toEqual({ seen: 0, added: 2 });
  });
});
