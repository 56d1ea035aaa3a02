import type { Rule } from "./rules.ts";

/** From mild to strict. */
export const VERDICTS = ["allow", "flag", "throttle", "confirm", "block"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Attempts named in a hit at most: an incident shows what it was about, not all of it. */
export const EVENTS_SHOWN = 32;

/** What a rule saw. For the audit and the incident, never for the caller. */
export interface Hit {
  rule: string;
  version: number;
  mode: "shadow" | "enforce";
  verdict: Verdict;
  observed: number;
  threshold: number;
  /** Milliseconds; 0 where the rule looks at one call alone. */
  window: number;
  /** Attempt numbers of the matching calls, rising, the newest where there are many. The judged one is among them. */
  events: number[];
}

export interface Decision {
  /** The strictest of the enforced hits. */
  verdict: Verdict;
  hits: Hit[];
  /** The call would fit but for what calls in flight may answer yet: it waits for them, and nothing has been seen. */
  isBusy?: true;
  /** Coarse, of a throttle: when asking again is not in vain. */
  retryAfterMs?: number;
}

/** A rule's finding before it is given the rule's name. */
export type Finding = Pick<Hit, "observed" | "threshold" | "window" | "events">;

/** A rule's finding that only what calls in flight may answer yet stands against a call. */
export const BUSY = "busy";

export const ALLOWED: Decision = { verdict: "allow", hits: [] };

/** Whether a call with this verdict is not run, or its answer not given. */
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

/** The newest attempts, rising, each once. */
export function newest(attempts: readonly number[]): number[] {
  const sorted = attempts.toSorted((a, b) => a - b);
  return sorted.filter((each, index) => each !== sorted[index - 1]).slice(-EVENTS_SHOWN);
}
