import type { Hit } from "../detection/decision.ts";
import type { RefusalCode } from "../refusal.ts";
import type { FlowVerdict } from "../telemetry/call-record.ts";
import type { Attempt, Outcome } from "./audit/records.ts";

/** Calls that one request can hold. */
export const BATCH_MAX = 100;

/** The stages of the guard, in the order in which the first refusal is answered. */
export type Stage = "signature" | "permission" | "rate" | "arguments" | "flow";

/** What the Worker asks of a caller's Durable Object before a call runs: one per call. */
export interface AdmissionRequest {
  principal: string;
  /** What the Worker's own checks have refused. */
  refused: { [Local in Exclude<Stage, "rate" | "flow">]?: RefusalCode };
  limit: { max: number; windowMs: number };
  retentionMs: number;
  /** The attempt as it will stand in the audit; `weight` is what it counts if it is charged. */
  attempt: Omit<Attempt, "seq" | "at" | "kind" | "decision" | "hits">;
  /** A form in the client was accepted for this very call. */
  agreed?: Agreed | undefined;
  /** The call answers a page, which can be made smaller (src/caller/detection/small-pages.ts). */
  isPaged?: boolean;
}

/** An accepted form: good once, by its nonce, and for what was read until it was asked. */
export interface Agreed {
  nonce: string;
  expiresAt: number;
  /** By the Durable Object's clock, from its refusal. */
  askedAt: number;
}

/** What the flow stage answers instead of running a call, or of giving its answer. */
export type FlowRefusal =
  | { verdict: "throttle"; retryAfterMs: number }
  | { verdict: "block" }
  /** `incident` is where a person decides; `form`: a form in the client would do. */
  | { verdict: "confirm"; incident: string; form: boolean; askedAt: number };

/** What flow rules said, for telemetry; absent where none spoke, which is nearly always. */
interface Heard {
  verdicts?: FlowVerdict[];
}

export type AdmissionAnswer =
  /**
   * `isCounted`: the call was counted with others of its kind, so it has no record of its own to settle; `seq` is the first's.
   * `pageMax`: the call may answer no more records than that.
   */
  | ({ admitted: true; seq: number; isCounted?: boolean; pageMax?: number } & Heard)
  | { admitted: false; stage: "signature" | "permission" | "arguments" }
  | { admitted: false; stage: "rate"; retryAfterMs: number }
  | ({ admitted: false; stage: "flow"; refusal: FlowRefusal } & Heard);

/** What a call turned out to be; once per admitted call. */
export type Settlement = Omit<Outcome, "seq" | "at" | "kind" | "withheld" | "hits">;

/** A young caller's call as it counts against its maker's budgets: one message, since nothing happens in between. */
export interface SharedCall {
  admission: AdmissionRequest;
  settlement: Omit<Settlement, "attempt">;
}

/** Whether a settled answer may be given. */
export type SettlementAnswer = ({ given: true } | { given: false; refusal: FlowRefusal }) & Heard;

/** The part of a decision that telemetry hears of: no number and no event of the caller's. */
export const heard = (hits: readonly Hit[]): Heard =>
  hits.length === 0
    ? {}
    : {
        verdicts: hits.map(({ rule, mode, verdict }) => ({
          rule,
          mode: mode === "enforce" && verdict === "flag" ? "flag" : mode,
          verdict,
        })),
      };

/** The first refusal of the local checks and the rate limit, in the guard's order; undefined where all let the call pass. */
export function firstRefusal(
  refused: AdmissionRequest["refused"],
  isOverLimit: boolean,
): { stage: Exclude<Stage, "flow">; code: RefusalCode } | undefined {
  const { signature, permission, arguments: badArguments } = refused;
  if (signature !== undefined) return { stage: "signature", code: signature };
  if (permission !== undefined) return { stage: "permission", code: permission };
  if (isOverLimit) return { stage: "rate", code: "rate_limited" };
  if (badArguments !== undefined) return { stage: "arguments", code: badArguments };
  return undefined;
}

/** The attempt, answering at most so many records that it does not name. */
export function shrink(attempt: AdmissionRequest["attempt"], pageMax: number): AdmissionRequest["attempt"] {
  const { flow } = attempt;
  if (flow === null) return attempt;
  const cost = { ...flow.cost, records: Math.min(flow.cost.records, pageMax) };
  const unnamed = { ...flow.unnamed, objects: Math.min(flow.unnamed.objects, pageMax) };
  return { ...attempt, flow: { ...flow, cost, unnamed } };
}

/** What a caller is told that a flow refusal is: nothing of the rule. */
export const FLOW_CODES = {
  throttle: "rate_limited",
  confirm: "confirmation_required",
  block: "flow_blocked",
} as const satisfies Record<FlowRefusal["verdict"], RefusalCode>;
