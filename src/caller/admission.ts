import type { Hit } from "../detection/decision.ts";
import type { RefusalCode } from "../refusal-codes.ts";
import type { FlowVerdict } from "../telemetry/call-record.ts";
import type { Attempt, Outcome } from "./audit/records.ts";

/** Calls that one request may hold. */
export const BATCH_MAX = 100;

/** The stages of the guard, in the order in which the first refusal is answered. */
export type Stage = "signature" | "permission" | "rate" | "arguments" | "flow";

/** The Worker's question to a caller's Durable Object before a call runs: one per call. */
export interface AdmissionRequest {
  principal: string;
  /** Refusals by the Worker's own checks. */
  refused: { [Local in Exclude<Stage, "rate" | "flow">]?: RefusalCode };
  limit: { max: number; windowMs: number };
  retentionMs: number;
  /** The attempt for the audit. `weight` is its charge if it is charged. */
  attempt: Omit<Attempt, "seq" | "at" | "kind" | "decision" | "hits">;
  /** Set if a form in the client was accepted for this very call. */
  agreed?: Agreed | undefined;
  /** The call answers a page, which can be made smaller (src/caller/detection/small-pages.ts). */
  isPaged?: boolean;
}

/** An accepted form: good once, by its nonce, and only for data read before it was asked. */
export interface Agreed {
  nonce: string;
  expiresAt: number;
  /** When it was asked, by the Durable Object's clock: the time of the refusal. */
  askedAt: number;
}

/** The flow stage's refusal, of the call or of its answer. */
export type FlowRefusal =
  | { verdict: "throttle"; retryAfterMs: number }
  | { verdict: "block" }
  /** A person decides at `incident`; `form` means that a form in the client suffices. */
  | { verdict: "confirm"; incident: string; form: boolean; askedAt: number };

/** Verdicts of flow rules, for telemetry; absent if no rule matched, which is nearly always. */
interface Verdicts {
  verdicts?: FlowVerdict[];
}

export type AdmissionAnswer =
  /**
   * `isCounted`: the call was only counted with others of its kind, so it has no record to settle; `seq` is the first one's.
   * `pageMax`: the most records that the call may answer.
   */
  | ({ admitted: true; seq: number; isCounted?: boolean; pageMax?: number } & Verdicts)
  | { admitted: false; stage: "signature" | "permission" | "arguments" }
  | { admitted: false; stage: "rate"; retryAfterMs: number }
  | ({ admitted: false; stage: "flow"; refusal: FlowRefusal } & Verdicts);

/** The decisions about the calls of one request. */
export interface Decided {
  /** The version of the caller's identity; undefined if it is unreadable. */
  identity: number | undefined;
  /** In the order of the calls; undefined if they were made with a former identity. Then nothing was decided. */
  answers: AdmissionAnswer[] | undefined;
}

/** The result of an admitted call, sent once. */
export type Settlement = Omit<Outcome, "seq" | "at" | "kind" | "withheld" | "hits">;

/**
 * A new caller's call as it counts against a shared budget. Admission and settlement are one message, because the call has
 * already run.
 */
export interface SharedCall {
  admission: AdmissionRequest;
  settlement: Omit<Settlement, "attempt">;
}

/** Says whether a settled answer may be given. */
export type SettlementAnswer = ({ given: true } | { given: false; refusal: FlowRefusal }) & Verdicts;

/**
 * Returns the part of a decision that telemetry gets: the rules and their verdicts, no observed value and no event of the
 * caller's.
 */
export const verdictsOf = (hits: readonly Hit[]): Verdicts =>
  hits.length === 0
    ? {}
    : {
        verdicts: hits.map(({ rule, mode, verdict }) => ({
          rule,
          mode: mode === "enforce" && verdict === "flag" ? "flag" : mode,
          verdict,
        })),
      };

/**
 * Returns the first refusal of the local checks and the rate limit, in the guard's order; undefined if the call passes all of
 * them.
 */
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

/** Returns the attempt with its cost limited to a page of `pageMax` records. */
export function shrink(attempt: AdmissionRequest["attempt"], pageMax: number): AdmissionRequest["attempt"] {
  const { flow } = attempt;
  if (flow === null) return attempt;
  const cost = { ...flow.cost, records: Math.min(flow.cost.records, pageMax) };
  const unnamed = { ...flow.unnamed, objects: Math.min(flow.unnamed.objects, pageMax) };
  return { ...attempt, flow: { ...flow, cost, unnamed } };
}

/** The refusal codes of flow refusals, which say nothing about the rule. */
export const FLOW_CODES = {
  throttle: "rate_limited",
  confirm: "confirmation_required",
  block: "flow_blocked",
} as const satisfies Record<FlowRefusal["verdict"], RefusalCode>;
