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
import type { Detector } from "./compile-rules.ts";
import type { FlowCall } from "./event.ts";
import type { CompiledRule } from "./kinds/compiled-rule.ts";
import { SLICES } from "./state/counters.ts";
import type { FlowState } from "./state/state.ts";
import { DAY } from "./window.ts";

/** Returns the standing block as a hit. A block ends when its rule is no longer enforced. */
export function standingBlock(
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

/** Asks each rule for its finding and makes one decision of them. */
export function judge(
  state: FlowState,
  { tool }: Pick<FlowCall, "tool">,
  rules: readonly CompiledRule[],
  look: (rule: CompiledRule) => Finding | typeof BUSY | undefined,
): Decision {
  let hits: Hit[] | undefined;
  let isBusy = false;
  for (const compiled of rules) {
    const finding = look(compiled);
    if (finding === undefined) continue;
    if (finding !== BUSY) (hits ??= []).push(hitOf(compiled.rule, finding));
    else if (compiled.rule.mode === "enforce" && isRefused(compiled.rule.verdict)) isBusy = true;
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
      retryAfterMs: Math.max(...throttled.map(({ window }) => window)) / SLICES,
    }),
  };
}

/** Sets the standing block if an enforced rule with verdict `block` was hit. */
export function block(state: FlowState, { at }: FlowCall, hits: readonly Hit[]): void {
  const blocking = hits.find(({ mode, verdict }) => mode === "enforce" && verdict === "block");
  if (blocking === undefined) return;
  const { rule, version, observed, threshold, window, events } = blocking;
  const until = at + BLOCK_MS;
  state.marks.setBlock({ at, until, rule, version, observed, threshold, window, events });
}

/** Milliseconds that a block stands, unless an administrator releases its rule first. */
const BLOCK_MS = DAY;
