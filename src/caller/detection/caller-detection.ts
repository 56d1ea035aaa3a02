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
import { recall } from "./rehydrate.ts";
import type { Store } from "../store.ts";

let detector: Detector | undefined;
/** Made once per isolate: the rules hold nothing about any caller. */
const rules = (): Detector => (detector ??= detectorOf(policyInForce().rules));

/** Records that may lie behind the stored state: each is read again when the object comes back to memory. */
const BEHIND_MAX = 64;
/** Records that are read again to replace rows which can't be read. */
const RECOUNTED_MAX = 2_000;

/**
 * One principal's flow state, in memory. What is stored is how it stood after one record; the records behind it tell the
 * rest. Storing it with every call would write several times what the record of the call takes.
 */
export class CallerDetection {
  readonly #store: Store;
  #state: FlowState | undefined;
  /** The record up to which the state is stored. */
  #storedAt: number;

  constructor(store: Store) {
    this.#store = store;
    this.#storedAt = store.flowAt();
  }

  /** Judges a call before it runs; `seq` will be its record's. */
  admit({ attempt }: AdmissionRequest, seq: number, now: number): Decision {
    const call = toFlowCall({ ...attempt, seq, at: now });
    if (call === undefined) return ALLOWED;
    const context = { catalogSize: attempt.catalog_size };
    return admit(this.#read(), rules(), call, context);
  }

  /** The largest page that every rule about a call spares; undefined if none spares any. */
  spares(attempt: AdmissionRequest["attempt"]): number | undefined {
    if (attempt.flow === null) return undefined;
    const watches = rules().watchesOf({ ...attempt.flow, roles: attempt.roles });
    const spared = watches.flatMap(({ rule }) => (rule.kind === "products" ? (rule.spares ?? []) : []));
    return spared.length === 0 ? undefined : Math.min(...spared);
  }

  /** Likewise, where a person agreed that this one attempt passes these rules. */
  admitReleased(request: AdmissionRequest, seq: number, passed: readonly string[], now: number): Decision {
    const { releases } = this.#read();
    releases.releaseAttempt(seq, passed);
    const decision = this.admit(request, seq, now);
    // Whatever became of it: a refused attempt may leave its number to another.
    releases.releaseAttempt(seq, []);
    return decision;
  }

  /** Judges what an admitted call turned out to be; `isWithheld`: its answer must not be given. */
  settle(
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

  /** What is remembered of the caller, for an admin. Changes nothing. */
  view(context: FlowContext, now: number): FlowView {
    return viewOf(this.#read(), rules().rules, context, now);
  }

  /** The rule whose block stands. */
  blockedBy(now: number): string | undefined {
    const { block } = this.#read().marks;
    return block !== undefined && now < block.until ? block.rule : undefined;
  }

  /** Whether text that reads like an instruction was answered after a moment. */
  isTaintedSince(moment: number): boolean {
    const { taint } = this.#read().marks;
    return taint !== undefined && taint.at > moment;
  }

  /** To be told of the last record once all that it says is in the state: `always`, or when enough lie behind. */
  checkpoint(head: number, when: "always" | "due"): void {
    const behind = head - this.#storedAt;
    if (behind === 0 || (when === "due" && (this.#state === undefined || behind < BEHIND_MAX))) return;
    this.#store.saveFlow(this.#read().takeChanges(), head);
    this.#storedAt = head;
  }

  /** Makes rows that can't be read anew from the records that they were made of, as far back as those are read. */
  #recount(state: FlowState, keys: readonly string[]): void {
    const recounted = new FlowState(policyInForce().rules);
    recall(recounted, rules(), this.#store, Math.max(0, this.#storedAt - RECOUNTED_MAX), this.#storedAt);
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
      recall(state, rules(), this.#store, this.#storedAt);
      this.#state = state;
    }
    return this.#state;
  }
}
