import type { Rule } from "./rules.ts";

/** From mild to strict. */
export const VERDICTS = ["allow", "flag", "throttle", "confirm", "block"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Attempts that one hit names at most, so that an incident stays short. */
export const EVENTS_SHOWN = 32;

/** A rule's finding about one call, for the audit and the incident. Callers never see it. */
export interface Hit {
  rule: string;
  version: number;
  mode: "shadow" | "enforce";
  verdict: Verdict;
  observed: number;
  threshold: number;
  /** Milliseconds; 0 for a rule that looks at a single call. */
  window: number;
  /**
   * Attempt numbers of the matching calls, ascending and including the judged one; only the newest if there are many.
   */
  events: number[];
}

export interface Decision {
  /** The strictest verdict among the enforced hits. */
  verdict: Verdict;
  hits: Hit[];
  /**
   * The call fits the limits, but calls in flight might use them up. The caller waits for those; nothing was detected.
   */
  isBusy?: true;
  /** Milliseconds, coarse and only for `throttle`: when a retry may succeed. */
  retryAfterMs?: number;
}

/** A hit before the rule's identity is added. */
export type Finding = Pick<Hit, "observed" | "threshold" | "window" | "events">;

/** The finding of a rule whose limit would be passed only if calls in flight answer as much as they can. */
export const BUSY = "busy";

export const ALLOWED: Decision = { verdict: "allow", hits: [] };

/** Returns whether this verdict stops the call, or withholds its answer. */
export const isRefused = (verdict: Verdict): boolean =>
  verdict === "throttle" || verdict === "confirm" || verdict === "block";

export const strictest = (verdicts: readonly Verdict[]): Verdict => {
  let index = 0;
  for (const verdict of verdicts) index = Math.max(index, VERDICTS.indexOf(verdict));
  return VERDICTS[index] ?? "block";
};

export const hitOf = (
  { id, version, mode, verdict }: Pick<Rule, "id" | "version" | "mode" | "verdict">,
  finding: Finding,
): Hit => ({
  rule: id,
  version,
  mode: mode === "enforce" ? "enforce" : "shadow",
  verdict,
  ...finding,
});

/** Returns the newest attempts, ascending and without duplicates. */
export function newest(attempts: readonly number[]): number[] {
  const sorted = attempts.toSorted((a, b) => a - b);
  return sorted.filter((each, index) => each !== sorted[index - 1]).slice(-EVENTS_SHOWN);
}
