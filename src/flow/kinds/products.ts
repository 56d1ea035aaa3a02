import type { RuleOf } from "../rules.ts";
import { hashOf } from "../state/distinct.ts";
import type { FlowState } from "../state/state.ts";
import { DAY } from "../window.ts";
import type { Steps } from "./watch.ts";

/**
 * Different products against the size of the catalog. A call that may answer products it does not name, such as a search,
 * is taken to answer as many new ones as it may; one that names only products seen before goes on being served.
 */
export function productsSteps(rule: RuleOf<"products">): Steps {
  const seenIn = (state: FlowState, windowMs: number) =>
    windowMs <= DAY ? state.productsOfDay : state.productsOfMonth;
  return {
    classes: ["catalog"],
    before(state, call, { catalogSize }) {
      if (call.objects.length === 0 && call.unnamed.objects === 0) return undefined;
      let pending = call.unnamed.objects;
      for (const { classes, unnamed } of state.inFlight.held.values()) {
        if (classes.includes("catalog")) pending += unnamed.objects;
      }
      const hashes = call.objects.map(hashOf);
      for (const { window, share, least } of rule.limits) {
        const threshold =
          Math.max(Math.floor(share * catalogSize), least) + state.releases.allowance(rule.id, call.at);
        const products = seenIn(state, window);
        if (products.most + hashes.length + pending <= threshold) continue;
        const { seen, added } = products.count(call.at, window, hashes);
        if (added === 0 && call.unnamed.objects === 0) continue;
        const observed = seen + added + pending;
        if (observed > threshold) return { observed, threshold, window, events: [call.attempt] };
      }
      return undefined;
    },
  };
}

/** Notes products in the state, once for all rules. */
export function seeProducts(state: FlowState, tokens: readonly string[], now: number): void {
  for (const token of tokens) {
    const hash = hashOf(token);
    state.productsOfDay.see(hash, now);
    state.productsOfMonth.see(hash, now);
  }
}
