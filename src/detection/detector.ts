import {
  ALLOWED,
  BUSY,
  type Decision,
  type Finding,
  type Hit,
  hitOf,
  isRefused,
  strictest,
} from "./decision.ts";
import {
  type FlowCall,
  type FlowContext,
  type FlowResult,
  ADMINISTRATION,
  NETWORK,
  SHARED,
} from "./event.ts";
import { adjacencySteps } from "./kinds/adjacency.ts";
import { budgetSteps } from "./kinds/budget.ts";
import { missesNamed, missesSteps } from "./kinds/misses.ts";
import { peopleOf } from "./kinds/people.ts";
import { countNewProducts, productsSteps, seeProducts } from "./kinds/products.ts";
import { profileSteps } from "./kinds/profile.ts";
import { sequenceSteps } from "./kinds/sequence.ts";
import { canarySteps, floodingSteps, taintSteps } from "./kinds/single.ts";
import { subjectsSteps } from "./kinds/subjects.ts";
import { type RuleHandler, type CompiledRule, isWatched, shareClass } from "./kinds/compiled-rule.ts";
import { isPersonal, isPublicRead } from "./labels.ts";
import type { Rule } from "./rules.ts";
import { PUBLIC_IN_FLIGHT_MAX, type PublicRead } from "./state/public-reads.ts";
import { IN_FLIGHT_MAX, type Reservation, lateOf, overflowOf } from "./state/reservations.ts";
import type { Release } from "./state/releases.ts";
import { classIndexes } from "./state/subjects.ts";
import type { FlowState } from "./state/state.ts";
import { DAY } from "./window.ts";
import { PARTS } from "./state/counters.ts";

/** Rules made ready. They hold nothing about any caller: one set serves all. */
export interface Detector {
  /** As they were given; a state is made for the same ones. */
  rules: readonly Rule[];
  /** Those that have a say about a call. */
  watchesOf: (call: Pick<FlowCall, "classes" | "kinds" | "roles">) => readonly CompiledRule[];
}

export function detectorOf(rules: readonly Rule[]): Detector {
  const watches: CompiledRule[] = rules
    .filter(({ mode }) => mode !== "off")
    .map((rule) => ({ rule, ...stepsOf(rule) }));
  // There are as many sets of classes and kinds as tools, and a handful of roles.
  const known = new Map<string, readonly CompiledRule[]>();
  return {
    rules,
    watchesOf(call) {
      const { classes, kinds, roles } = call;
      const key = `${classes.join()} ${kinds.join()} ${roles.join()}`;
      const found = known.get(key);
      if (found !== undefined) return found;
      const wanted = watches.filter((watch) => isWatched(watch, call) && isAbout(watch.rule, roles));
      if (known.size < WATCHES_KEPT) known.set(key, wanted);
      return wanted;
    },
  };
}

function isAbout(rule: Rule, roles: readonly string[]): boolean {
  if (rule.roles !== undefined && !shareClass(rule.roles, roles)) return false;
  if (rule.except_roles !== undefined && shareClass(rule.except_roles, roles)) return false;
  if (roles.includes(NETWORK)) return rule.roles?.includes(NETWORK) === true;
  const isAboutAdministration = rule.roles?.includes(ADMINISTRATION) === true;
  if (roles.includes(ADMINISTRATION)) return isAboutAdministration;
  return !roles.includes(SHARED) || rule.kind === "subjects";
}

/** Roles come from a directory that may have any number of them. */
const WATCHES_KEPT = 256;

function stepsOf(rule: Rule): RuleHandler {
  switch (rule.kind) {
    case "subjects":
      return subjectsSteps(rule);
    case "profile":
      return profileSteps(rule);
    case "sequence":
      return sequenceSteps(rule);
    case "budget":
      return budgetSteps(rule);
    case "products":
      return productsSteps(rule);
    case "adjacency":
      return adjacencySteps(rule);
    case "misses":
      return missesSteps(rule);
    case "canary":
      return canarySteps(rule);
    case "taint":
      return taintSteps(rule);
    case "flooding":
      return floodingSteps(rule);
    default: {
      const none: never = rule;
      return none;
    }
  }
}

/**
 * Judges a call before it runs, and reserves what it may answer. A refused call reserves nothing; a call that is let
 * through must be settled. Looks at the caller's history and the call's labels, never at data.
 */
export function admit(state: FlowState, detector: Detector, call: FlowCall, context: FlowContext): Decision {
  tend(state, detector, call.at);
  const standing = standingBlock(state, detector, call);
  if (standing !== undefined) return { verdict: "block", hits: [standing] };

  const watches = detector.watchesOf(call);
  const decision = judge(state, call, watches, (watch) => watch.before?.(state, call, context));
  block(state, call, decision.hits);
  if (!isRefused(decision.verdict)) letRun(state, detector, call);
  return decision;
}

/**
 * Judges what a call turned out to be. Where answers hold personal data, or nothing that was asked for, this comes before
 * the answer is given, and a refusal means that it is withheld: nothing of it is noted as read. Any other public answer has
 * been given by then; what it used up tells at the next call.
 */
export function settle(state: FlowState, detector: Detector, call: FlowCall, result: FlowResult): Decision {
  tend(state, detector, result.at);
  land(state, call.attempt);
  const watches = detector.watchesOf(call);
  const decision = judge(state, call, watches, (watch) => watch.after?.(state, call, result));
  block(state, call, decision.hits);
  noteResult(state, watches, call, mustWithhold(call, result, decision) ? withheld(result) : result);
  return decision;
}

/** Whether an answer is withheld where a decision refuses it: it has not left yet. */
export const mustWithhold = (
  call: Pick<FlowCall, "classes">,
  { missed }: Pick<FlowResult, "missed">,
  { verdict }: Decision,
): boolean => (isPersonal(call) || missed) && isRefused(verdict);

/** A call that was admitted ended without an answer, such as at its deadline: nothing was read, nothing guessed in vain. */
export function abandon(state: FlowState, detector: Detector, attempt: number, now: number): void {
  tend(state, detector, now);
  land(state, attempt);
}

/** The call is not in flight any more. */
function land(state: FlowState, attempt: number): void {
  state.inFlight.release(attempt);
  state.publicReads.release(attempt);
}

/**
 * What a record says of an attempt, noted without judging it anew: the rules may have changed since, what happened has not.
 * A state that is read back this way decides as the one that judged (test/worker/caller/replay.test.ts).
 */
export function recallAttempt(
  state: FlowState,
  detector: Detector,
  call: FlowCall,
  { isAdmitted, hits }: { isAdmitted: boolean; hits: readonly Hit[] },
): void {
  tend(state, detector, call.at);
  if (standingBlock(state, detector, call) === undefined) block(state, call, hits);
  if (isAdmitted) letRun(state, detector, call);
}

/** What a record says that a call turned out to be, noted without judging it anew. */
export function recallOutcome(
  state: FlowState,
  detector: Detector,
  call: FlowCall,
  result: FlowResult,
  { isWithheld, hits }: { isWithheld: boolean; hits: readonly Hit[] },
): void {
  tend(state, detector, result.at);
  land(state, call.attempt);
  block(state, call, hits);
  noteResult(state, detector.watchesOf(call), call, isWithheld ? withheld(result) : result);
}

/** A person agreed that a rule be passed. A block that stands because of the rule is lifted. */
export function release(state: FlowState, detector: Detector, agreed: Release): void {
  tend(state, detector, agreed.at);
  state.releases.add(agreed);
  if (state.marks.block?.rule === agreed.rule) state.marks.setBlock(undefined);
}

/**
 * Forgets what is past, and takes calls that are not settled any more as answered. Before whatever else changes the state:
 * a refused call comes by here too and may leave no record, so what it did must be what the next one would have done.
 */
function tend(state: FlowState, detector: Detector, now: number): void {
  // In this order: what was lost happened then, among the people who were remembered then, whenever it is noted.
  for (const [attempt, lost] of lateOf(state.inFlight.held, now)) settleLost(state, detector, attempt, lost);
  for (const [attempt, lost] of lateOf(state.publicReads.held, now))
    settleLost(state, detector, attempt, lost, lost);
  state.subjects.prune(now);
}

function letRun(state: FlowState, detector: Detector, call: FlowCall): void {
  for (const watch of detector.watchesOf(call)) watch.admitted?.(state, call);
  if (isPublicRead(call)) state.publicReads.reserve(call, countNewProducts(state, call.objects, call.at));
  else state.inFlight.reserve(call);
  // Here and not at the next call: that may be refused, and of a repeated refusal the audit keeps only the number.
  for (const [attempt, lost] of overflowOf(state.inFlight.held, IN_FLIGHT_MAX))
    settleLost(state, detector, attempt, lost);
  for (const [attempt, lost] of overflowOf(state.publicReads.held, PUBLIC_IN_FLIGHT_MAX))
    settleLost(state, detector, attempt, lost, lost);
}

/** What a call that ran turned out to be, given or withheld. */
function noteResult(
  state: FlowState,
  watches: readonly CompiledRule[],
  call: FlowCall,
  result: FlowResult,
): void {
  if (isPublicRead(call)) {
    const { at, objects, records, bytes } = result;
    const products = countNewProducts(state, objects, at);
    state.usual.note(call.tool, { products, records, bytes, ms: at - call.at });
  }
  answer(state, watches, call, result);
}

function answer(
  state: FlowState,
  watches: readonly CompiledRule[],
  call: FlowCall,
  result: FlowResult,
): void {
  for (const watch of watches) watch.answered?.(state, call, result);
  const indexes = classIndexes(call.classes);
  if (indexes.length > 0) {
    for (const token of peopleOf(call, result)) state.subjects.read(token, indexes, result.at, call.attempt);
  }
  if (call.classes.includes("catalog")) seeProducts(state, result.objects, result.at);
  state.missing.see(missesNamed(call, result));
  if (result.tainted) state.marks.setTaint(result.at, call.attempt);
}

/** A withheld answer is to the caller as one that found nothing; what it asked for in vain stays asked for. */
const withheld = ({ at, missing }: FlowResult): FlowResult => ({ ...nothing(at), missing });

const nothing = (at: number): FlowResult => ({
  at,
  subjects: [],
  objects: [],
  records: 0,
  bytes: 0,
  missed: true,
  tainted: false,
  canary: false,
});

/**
 * A call whose settlement is lost is taken to have answered all that it could: people it named, or somebody unknown. A read
 * of the catalog is taken to have answered what such reads did lately, and equal ones the same.
 */
function settleLost(
  state: FlowState,
  detector: Detector,
  attempt: number,
  lost: Reservation,
  { named, asked }: Pick<PublicRead, "named" | "asked"> = { named: 0, asked: attempt },
): void {
  land(state, attempt);
  const call = { ...lost, attempt, objects: [], neighbourhoods: [] };
  const somebody = lost.unnamed.subject ? [`?${attempt}`] : [];
  const { products, records, bytes } = isPublicRead(lost)
    ? state.usual.ofLost(lost, named)
    : { products: lost.unnamed.objects, ...lost.cost };
  answer(state, detector.watchesOf(lost), call, {
    ...nothing(lost.at),
    subjects: somebody,
    objects: Array.from({ length: products }, (_, index) => `?${asked}/${index}`),
    records,
    bytes,
    missed: false,
  });
}

/** Of a rule that is not enforced any more no block stands. */
function standingBlock(
  { marks }: FlowState,
  { rules }: Detector,
  { at, attempt }: FlowCall,
): Hit | undefined {
  if (marks.block === undefined) return undefined;
  const { rule: blockedBy } = marks.block;
  const isEnforced = rules.some(({ id, mode }) => id === blockedBy && mode === "enforce");
  if (at >= marks.block.until || !isEnforced) {
    marks.setBlock(undefined);
    return undefined;
  }
  const { rule, version, observed, threshold, window, events } = marks.block;
  return {
    rule,
    version,
    mode: "enforce",
    verdict: "block",
    observed,
    threshold,
    window,
    events: [...events, attempt],
  };
}

function judge(
  state: FlowState,
  { tool }: Pick<FlowCall, "tool">,
  watches: readonly CompiledRule[],
  look: (watch: CompiledRule) => Finding | typeof BUSY | undefined,
): Decision {
  let hits: Hit[] | undefined;
  let isBusy = false;
  for (const watch of watches) {
    const finding = look(watch);
    if (finding === undefined) continue;
    if (finding !== BUSY) (hits ??= []).push(hitOf(watch.rule, finding));
    else if (watch.rule.mode === "enforce" && isRefused(watch.rule.verdict)) isBusy = true;
  }
  if (hits === undefined && !isBusy) return ALLOWED;
  const decision = decide(hits ?? []);
  return isBusy && !isRefused(decision.verdict)
    ? { ...decision, verdict: "throttle", isBusy, retryAfterMs: state.usual.waitMs(tool) }
    : decision;
}

function decide(hits: Hit[]): Decision {
  const enforced = hits.filter(({ mode }) => mode === "enforce");
  const verdict = strictest(enforced.map((hit) => hit.verdict));
  const throttled = enforced.filter((hit) => hit.verdict === "throttle");
  return {
    verdict,
    hits,
    ...(verdict === "throttle" && {
      retryAfterMs: Math.max(...throttled.map(({ window }) => window)) / PARTS,
    }),
  };
}

function block(state: FlowState, { at }: FlowCall, hits: readonly Hit[]): void {
  const blocking = hits.find(({ mode, verdict }) => mode === "enforce" && verdict === "block");
  if (blocking === undefined) return;
  const { rule, version, observed, threshold, window, events } = blocking;
  const until = at + BLOCK_MS;
  state.marks.setBlock({ at, until, rule, version, observed, threshold, window, events });
}

/** A block stands that long, or until an administrator releases its rule. */
const BLOCK_MS = DAY;
