import { BUSY } from "../decision.ts";
import type { FlowCall } from "../event.ts";
import type { RuleOf } from "../rules.ts";
import { hashOf } from "../state/distinct.ts";
import { askedBy } from "../state/public-reads.ts";
import type { FlowState } from "../state/state.ts";
import { DAY } from "../window.ts";
import type { RuleHandler } from "./compiled-rule.ts";

/**
 * Products by which searches in flight may exceed a limit: sixty default pages at once. Most parallel searches find the
 * same products; if they do not, the limit is exceeded by this many at most.
 */
export const PRODUCTS_IN_FLIGHT = 600;

/**
 * Limits the number of different products in proportion to the catalog. A call that may answer products it does not
 * name, such as a search, counts as many new ones as it may answer. A call that names only products seen before is
 * still served, and so is one that can answer no more than the rule's `spares`.
 */
export function productsHandler(rule: RuleOf<"products">): RuleHandler {
  const seenIn = (state: FlowState, windowMs: number) =>
    windowMs <= DAY ? state.productsOfDay : state.productsOfMonth;
  return {
    classes: ["catalog"],
    before(state, call, { catalogSize }) {
      const unnamed = call.unnamed.objects;
      if (call.objects.length === 0 && unnamed === 0) return undefined;
      if (call.objects.length + unnamed <= (rule.spares ?? 0)) return undefined;
      const inFlight = countInFlight(state, call);
      const hashes = call.objects.map(hashOf);
      let isBusy = false;
      for (const { window, share, least } of rule.limits) {
        const threshold =
          Math.max(Math.floor(share * catalogSize), least) + state.releases.allowance(rule.id, call.at);
        const products = seenIn(state, window);
        const most = products.most + hashes.length + unnamed;
        if (most + inFlight.named + inFlight.unnamed <= threshold) continue;
        const { seen, added } = products.count(call.at, window, hashes);
        if (added === 0 && unnamed === 0) continue;
        const observed = seen + added + unnamed;
        if (observed > threshold) return { observed, threshold, window, events: [call.attempt] };
        const named = observed + inFlight.named;
        isBusy ||= named > threshold || named + inFlight.unnamed > threshold + PRODUCTS_IN_FLIGHT;
      }
      return isBusy ? BUSY : undefined;
    },
  };
}

/**
 * Counts new products that calls in flight name, and products they may find. Equal calls find the same, so one counts
 * for all.
 */
function countInFlight(state: FlowState, call: FlowCall): { named: number; unnamed: number } {
  let [named, unnamed] = [0, 0];
  if (state.publicReads.held.size > 0) {
    const asked = new Set([askedBy(call)]);
    for (const each of state.publicReads.held.values()) {
      if (asked.has(each.asked)) continue;
      asked.add(each.asked);
      named += each.named;
      unnamed += each.unnamed.objects;
    }
  }
  for (const each of state.inFlight.held.values())
    if (each.classes.includes("catalog")) unnamed += each.unnamed.objects;
  return { named, unnamed };
}

/** Returns how many of the products were not answered in the last day. */
export const countNewProducts = (state: FlowState, tokens: readonly string[], now: number): number =>
  tokens.length === 0 ? 0 : state.productsOfDay.countNew(now, DAY, tokens.map(hashOf));

/** Notes products in the state, once for all rules. */
export function seeProducts(state: FlowState, tokens: readonly string[], now: number): void {
  for (const token of tokens) {
    const hash = hashOf(token);
    state.productsOfDay.see(hash, now);
    state.productsOfMonth.see(hash, now);
  }
}
