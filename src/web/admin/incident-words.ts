import type { Rule } from "../../detection/rules.ts";
import { AUDIT_FULL, type Incident } from "../../incidents/incident-record.ts";
import { classWords, countWords, stepWords } from "./rule-words.ts";
import { duration, number, plural } from "./units.ts";

// Incidents in words: the caller's behaviour, the effect on its calls, and advice for the admin.

type RuleMatch = Pick<Incident, "rule" | "observed" | "threshold" | "window_ms">;
type Verdict = Incident["verdict"];

const allowed = (count: number): string => `${number(count)} ${count === 1 ? "is" : "are"} allowed`;

/** The count that a rule saw, with its limit: `8 people in 10 minutes; 7 are allowed`. */
export function observedWords({ observed, threshold, window_ms }: RuleMatch, rule: Rule | undefined): string {
  const within = window_ms > 0 ? ` in ${duration(window_ms)}` : "";
  return `${countWords(observed, rule)}${within}; ${allowed(threshold)}`;
}

/** The caller's behaviour, as the end of a sentence that begins with its name. A stopped call counts as tried. */
export function behaviourWords(
  { rule: id, verdict, observed, threshold, window_ms }: RuleMatch & Pick<Incident, "verdict">,
  rule: Rule | undefined,
): string {
  const within = window_ms > 0 ? ` within ${duration(window_ms)}` : "";
  const limit = `${within}; ${allowed(threshold)}`;
  const counted = countWords(observed, rule);
  const did = (past: string, verb: string) => (verdict === "flag" ? past : `tried to ${verb}`);
  switch (rule?.kind) {
    case undefined:
      if (id === AUDIT_FULL)
        return `filled its audit: it is past ${number(threshold)} records, so the oldest are deleted before ${duration(window_ms)} are over`;
      return `matched the rule ${id}: ${counted} seen${limit}`;
    case "subjects":
      return `${did("read", "read")} the data of ${counted}${limit}`;
    case "profile":
      return `${did("collected", "collect")} ${classWords(rule.classes)} of ${counted}${limit}`;
    case "sequence":
      return `${did("went", "go")} ${stepWords(rule)} of ${counted}${limit}`;
    case "budget":
      return rule.classes === undefined
        ? `${did("changed", "change")} up to ${counted}${limit}`
        : `requested up to ${counted} of personal data${limit}`;
    case "size":
      return `${did("changed", "change")} much of the stock: ${counted}${limit}`;
    case "products":
      return `${did("read", "read")} up to ${counted}${limit}`;
    case "adjacency":
      return `requested ${counted}${limit}`;
    case "misses":
      return `requested missing records ${plural(observed, "time")}${limit}`;
    case "canary":
      return "read a planted record, which no legitimate work leads to";
    case "taint":
      return "tried to change something right after reading a customer's text that reads like an instruction";
    case "flooding":
      return `read about so many people that the detector forgot ${number(observed)}${limit}`;
    default: {
      const none: never = rule;
      return none;
    }
  }
}

/** The effect on the caller's calls; in the past tense once the rule's window is over. */
export function effectWords(
  { verdict, last_at, window_ms }: Pick<Incident, "verdict" | "last_at" | "window_ms">,
  now: number,
): string {
  const isPast = window_ms > 0 && last_at + window_ms <= now;
  return (isPast ? PAST_EFFECT[verdict] : undefined) ?? EFFECT[verdict];
}

const PAST_EFFECT: Partial<Record<Verdict, string>> = {
  throttle: "Its wait is over.",
  confirm: "Nobody decided. The rule's window is over, so its next call is judged anew.",
};

const EFFECT: Record<Verdict, string> = {
  flag: "Its calls continue, and it was not notified.",
  throttle: "It must wait before it continues.",
  confirm: "Its calls wait for a decision.",
  block: "All its calls for data are refused for a day.",
};

/** The effect on many callers at once, none of which waits for a decision. */
export const EFFECT_ON_MANY: Record<Verdict, string> = {
  flag: "Their calls continue, and they were not notified.",
  throttle: "Each must wait before it continues.",
  confirm: "Their calls wait for a decision.",
  block: "All their calls for data are refused for a day.",
};

/** Advice for the admin who decides. */
export const ADVICE: Record<Verdict, string> = {
  flag: "Look at the calls. If this isn't legitimate, disable the caller. Otherwise close the incident.",
  throttle:
    "No action is needed: the caller is slowed down. Allow it if you know the work. Disable the caller if nobody does.",
  confirm:
    "Allow it if you know what the caller is doing, and for whom. You are asked again if it goes much further. Otherwise decline. If its key may be stolen, disable the caller.",
  block:
    "Allow it if you know what the caller is doing, and for whom. If its key may be stolen, disable the caller.",
};

/** The effect of a verdict on a call, as the end of a sentence: `the call needs a decision`. */
export const VERDICT_EFFECT: Record<Verdict, string> = {
  flag: "is recorded",
  throttle: "must wait",
  confirm: "needs a decision",
  block: "is refused, like all later calls",
};

export const STATUS_NAMES: Record<Incident["status"], string> = {
  open: "Open",
  released: "Allowed",
  declined: "Declined",
  closed: "Closed",
};
