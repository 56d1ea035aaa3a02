import { ALLOWED, type Decision, isRefused } from "../flow/decision.ts";
import { type Detector, admit, detectorOf, release, settle } from "../flow/detector.ts";
import { isPersonal } from "../flow/labels.ts";
import type { Release } from "../flow/state/releases.ts";
import { FlowState } from "../flow/state/state.ts";
import { policyInForce } from "../policy/bundled.ts";
import type { AdmissionRequest, Settlement } from "./admission.ts";
import { toFlowCall } from "./flow-call.ts";
import type { Attempt } from "./records.ts";
import type { Store } from "./store.ts";

let detector: Detector | undefined;
/** Made once per isolate: the rules hold nothing about any caller. */
const rules = (): Detector => (detector ??= detectorOf(policyInForce().rules));

/** One principal's flow state: in memory, and as rows of what each call touched, from which it is read back. */
export class FlowGuard {
  readonly #store: Store;
  #state: FlowState | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Judges a call before it runs; `seq` will be its record's. */
  admit({ attempt }: AdmissionRequest, seq: number, now: number): Decision {
    const call = toFlowCall({ ...attempt, seq, at: now });
    if (call === undefined) return ALLOWED;
    const context = { catalogSize: attempt.catalog_size };
    return this.#keep((state) => admit(state, rules(), call, context));
  }

  /** Judges what an admitted call turned out to be; a refusal means that a personal answer is withheld. */
  settle(settlement: Settlement, attempt: Attempt, now: number): { decision: Decision; isWithheld: boolean } {
    const call = toFlowCall(attempt);
    if (call === undefined || settlement.flow === null) return { decision: ALLOWED, isWithheld: false };
    const { records, bytes, flow } = settlement;
    const decision = this.#keep((state) =>
      settle(state, rules(), call, { at: now, records, bytes, ...flow }),
    );
    return { decision, isWithheld: isPersonal(call) && isRefused(decision.verdict) };
  }

  release(agreed: Release): void {
    this.#keep((state) => release(state, agreed));
  }

  /** Whether text that reads like an instruction was answered after a moment. */
  isTaintedSince(moment: number): boolean {
    const { taint } = this.#read().marks;
    return taint !== undefined && taint.at > moment;
  }

  #keep<T>(change: (state: FlowState) => T): T {
    const state = this.#read();
    const result = change(state);
    for (const row of state.takeChanges()) this.#store.saveFlowRow(row);
    return result;
  }

  #read = (): FlowState => (this.#state ??= FlowState.of(this.#store.flowRows(), policyInForce().rules));
}
