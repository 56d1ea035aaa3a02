import type { RefusalCode } from "../refusal.ts";
import type { Attempt, Outcome } from "./records.ts";

/** The stages of the guard, in the order in which the first refusal is answered. */
export const STAGES = ["signature", "permission", "rate", "arguments"] as const;
export type Stage = (typeof STAGES)[number];

/** What the Worker asks of a caller's Durable Object before a call runs: one per call. */
export interface AdmissionRequest {
  principal: string;
  /** What the Worker's own checks have refused. */
  refused: { [Local in Exclude<Stage, "rate">]?: RefusalCode };
  limit: { max: number; windowMs: number };
  retentionMs: number;
  /** The attempt as it will stand in the audit; `weight` is what it counts if it is charged. */
  attempt: Omit<Attempt, "seq" | "at" | "kind" | "decision">;
}

export type AdmissionAnswer =
  | { admitted: true; seq: number }
  | { admitted: false; stage: Stage; retryAfterMs?: number };

/** What a call turned out to be; once per admitted call. */
export type Settlement = Omit<Outcome, "seq" | "at" | "kind">;

/** The first refusal in the guard's order; undefined where all stages let the call pass. */
export function firstRefusal(
  refused: AdmissionRequest["refused"],
  isOverLimit: boolean,
): { stage: Stage; code: RefusalCode } | undefined {
  for (const stage of STAGES) {
    const code = stage === "rate" ? (isOverLimit ? "rate_limited" : undefined) : refused[stage];
    if (code !== undefined) return { stage, code };
  }
  return undefined;
}
