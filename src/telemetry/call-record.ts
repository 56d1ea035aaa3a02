import { type RefusalCode, refusals } from "../refusal.ts";

export const CALL_KINDS = ["tool", "resource", "prompt", "completion", "discovery", "request"] as const;
export type CallKind = (typeof CALL_KINDS)[number];
export type CallStatus = "ok" | "error" | "refused";

/** What a flow rule said of a call, as telemetry tells it: `flag` is an enforced rule that tells a person and lets go on. */
export interface FlowVerdict {
  rule: string;
  mode: "enforce" | "flag" | "shadow";
  verdict: string;
}

/** A call or a refused request that is over. No field holds a caller's own text but `client`, which is cleaned and cut. */
export interface CallRecord {
  kind: CallKind;
  /** As a registry names it, or a resource's URI template; UNKNOWN where the caller named nothing that exists. */
  name: string;
  /** `ok`, or the code that it ended in. */
  outcome: "ok" | RefusalCode;
  /** Whether the guard let it begin. */
  ran: boolean;
  /** Milliseconds from the guard's first look to its last word. */
  durationMs: number;
  resultBytes: number;
  records: number;
  protocol: string;
  client: string;
  /** Keyed hash of the principal's id (src/detection/tokens.ts). */
  principal: string;
  verdicts: readonly FlowVerdict[];
  /** Whether the caller's Durable Object was out of reach. */
  degraded: boolean;
  correlationId: string;
  /** By name, of those that the policy lets be seen; texts by their length alone. */
  arguments: Readonly<Record<string, string | number | boolean | null>>;
}

export const UNKNOWN = "unknown";

/** Errors are the server's own fault; all else that is not ok is the caller's to mend. */
export function statusOf(outcome: CallRecord["outcome"]): CallStatus {
  if (outcome === "ok") return "ok";
  return refusals[outcome].http >= 500 ? "error" : "refused";
}
