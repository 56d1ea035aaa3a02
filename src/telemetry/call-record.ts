import { type RefusalCode, refusals } from "../refusal-codes.ts";
import type { TraceContext } from "./trace-context.ts";

export const CALL_KINDS = ["tool", "resource", "prompt", "completion", "discovery", "request"] as const;
export type CallKind = (typeof CALL_KINDS)[number];
export type CallStatus = "ok" | "error" | "refused";

/**
 * A flow rule's verdict about a call, for telemetry. `flag` is an enforced rule that informs a person and lets the call
 * run.
 */
export interface FlowVerdict {
  rule: string;
  mode: "enforce" | "flag" | "shadow";
  verdict: string;
}

/** A finished call or a refused request. `client` is the only field with a caller's own text; it is cleaned and cut. */
export interface CallRecord {
  kind: CallKind;
  /** The registry's name, or a resource's URI template; UNKNOWN if the caller named nothing that exists. */
  name: string;
  /** `ok`, or the code of the refusal. */
  outcome: "ok" | RefusalCode;
  /** Whether the guard let it start. */
  ran: boolean;
  /** Milliseconds from the start of admission to the end of settlement. */
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
  trace: TraceContext;
  /** The arguments that the policy allows to be seen, by name; texts only as their length. */
  arguments: Readonly<Record<string, string | number | boolean | null>>;
}

export const UNKNOWN = "unknown";

/** Returns the protocol's method of a call; undefined for a request that is no call. */
export function methodOf({ kind, name }: Pick<CallRecord, "kind" | "name">): string | undefined {
  return kind === "discovery" ? name : METHODS.get(kind);
}
const METHODS = new Map<CallKind, string>([
  ["tool", "tools/call"],
  ["resource", "resources/read"],
  ["prompt", "prompts/get"],
  ["completion", "completion/complete"],
]);

/** An error is the server's own fault; anything else that is not ok is for the caller to correct. */
export function statusOf(outcome: CallRecord["outcome"]): CallStatus {
  if (outcome === "ok") return "ok";
  return refusals[outcome].http >= 500 ? "error" : "refused";
}
