import { logUnreadable } from "../../telemetry/readable-rows.ts";
import { ALLOWED, type Decision } from "../../detection/decision.ts";
import {
  type Detector,
  abandon,
  admit,
  detectorOf,
  mustWithhold,
  release,
  settle,
} from "../../detection/detector.ts";
import type { FlowContext } from "../../detection/event.ts";
import type { Release } from "../../detection/state/releases.ts";
import { FlowState } from "../../detection/state/state.ts";
import { type FlowView, viewOf } from "../../detection/view.ts";
import { policyInForce } from "../../policy/bundled.ts";
import type { AdmissionRequest, Settlement } from "../admission.ts";
import type { OpenAttempt } from "../audit/records.ts";
import { toFlowCall } from "./call-event.ts";
import { rehydrate } from "./rehydrate.ts";
import type { Store } from "../store.ts";

let detector: Detector | undefined;
/** Compiled once per isolate, because the rules hold no caller's data. */
const rules = (): Detector => (detector ??= detectorOf(policyInForce().rules));

/** Records that may follow the stored state: each is replayed after an eviction. */
const BEHIND_MAX = 64;
/** Records that are replayed to rebuild unreadable rows. */
const RECOUNTED_MAX = 2_000;

/**
 * One principal's flow state, in memory. The stored state is a snapshot after one record; the records since then are
 * replayed. Storing it with every call would write several times as much as the call's record.
 */
export class CallerDetection {
  readonly #store: Store;
  #state: FlowState | undefined;
  /** The last record in the stored state. */
  #storedAt: number;

  constructor(store: Store) {
    this.#store = store;
    this.#storedAt = store.flowAt();
  }

  /** Judges a call before it runs; `seq` is the number that its record will have. */
  judge({ attempt }: AdmissionRequest, seq: number, now: number): Decision {
    const call = toFlowCall({ ...attempt, seq, at: now });
    if (call === undefined) return ALLOWED;
    const context = { catalogSize: attempt.catalog_size };
    return admit(this.#read(), rules(), call, context);
  }

  /** Returns the largest page that every rule about a call always allows; undefined if no rule allows any. */
  spares(attempt: AdmissionRequest["attempt"]): number | undefined {
    if (attempt.flow === null) return undefined;
    const watches = rules().watchesOf({ ...attempt.flow, roles: attempt.roles });
    const spared = watches.flatMap(({ rule }) => (rule.kind === "products" ? (rule.spares ?? []) : []));
    return spared.length === 0 ? undefined : Math.min(...spared);
  }

  /** Judges a call that a person let pass these rules once. */
  judgeReleased(request: AdmissionRequest, seq: number, passed: readonly string[], now: number): Decision {
    const { releases } = this.#read();
    releases.releaseAttempt(seq, passed);
    const decision = this.judge(request, seq, now);
    // Undo the release in any case, because a refused attempt may leave its number to another.
    releases.releaseAttempt(seq, []);
    return decision;
  }

  /** Judges the result of an admitted call; `isWithheld`: its answer must not be given. */
  judgeResult(
    settlement: Settlement,
    attempt: OpenAttempt,
    now: number,
  ): { decision: Decision; isWithheld: boolean } {
    const call = toFlowCall(attempt);
    if (call === undefined) return { decision: ALLOWED, isWithheld: false };
    const { records, bytes, flow } = settlement;
    if (flow === null) {
      abandon(this.#read(), rules(), call.attempt, now);
      return { decision: ALLOWED, isWithheld: false };
    }
    const result = { at: now, records, bytes, ...flow };
    const decision = settle(this.#read(), rules(), call, result);
    return { decision, isWithheld: mustWithhold(call, result, decision) };
  }

  release(agreed: Release): void {
    release(this.#read(), rules(), agreed);
  }

  /** Returns the state for an admin. Changes nothing. */
  view(context: FlowContext, now: number): FlowView {
    return viewOf(this.#read(), rules().rules, context, now);
  }

  /** Returns the rule whose block is in force. */
  blockedBy(now: number): string | undefined {
    const { block } = this.#read().marks;
    return block !== undefined && now < block.until ? block.rule : undefined;
  }

  /** Whether instruction-like text was answered after a moment. */
  isTaintedSince(moment: number): boolean {
    const { taint } = this.#read().marks;
    return taint !== undefined && taint.at > moment;
  }

  /**
   * Stores the state, which must include record `head`: `always`, or only when enough records follow the stored one (`due`).
   */
  checkpoint(head: number, when: "always" | "due"): void {
    const behind = head - this.#storedAt;
    if (behind === 0 || (when === "due" && (this.#state === undefined || behind < BEHIND_MAX))) return;
    this.#store.saveFlow(this.#read().takeChanges(), head);
    this.#storedAt = head;
  }

  /** Rebuilds unreadable rows from the records, as far back as those are read. */
  #recount(state: FlowState, keys: readonly string[]): void {
    const recounted = new FlowState(policyInForce().rules);
    rehydrate(recounted, rules(), this.#store, Math.max(0, this.#storedAt - RECOUNTED_MAX), this.#storedAt);
    for (const key of keys) state.takeOver(key, recounted);
  }

  #read(): FlowState {
    if (this.#state === undefined) {
      const unread: string[] = [];
      const state = FlowState.of(this.#store.flowRows(), policyInForce().rules, (key, error) => {
        if (unread.length === 0) logUnreadable("flow_state", error);
        unread.push(key);
      });
      if (unread.length > 0) this.#recount(state, unread);
      rehydrate(state, rules(), this.#store, this.#storedAt);
      this.#state = state;
    }
    return this.#state;
  }
}
