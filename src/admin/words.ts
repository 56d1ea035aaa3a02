import type { DataClass } from "../flow/labels.ts";
import type { Rule } from "../flow/rules.ts";
import { DAY, HOUR } from "../flow/window.ts";
import { AUDIT_FULL, type Incident } from "../windows/incidents.ts";

// What rules and incidents mean, for people who have not read docs/detection.md.

const NUMBER = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
export const number = (value: number): string => NUMBER.format(value);

/** `flow_blocked` -> `flow blocked`. */
export const codeWords = (code: string): string => code.replaceAll("_", " ");

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : many}`;

/** `10 minutes`, `24 hours`, `30 days`. */
export function duration(ms: number): string {
  if (ms < HOUR || ms % HOUR !== 0) return plural(Math.round(ms / 60_000), "minute");
  return ms > DAY && ms % DAY === 0 ? plural(ms / DAY, "day") : plural(ms / HOUR, "hour");
}

/** `12 s ago`, `3 min ago`, `5 h ago`, `2 days ago`. */
export function ago(at: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 36 * 3600
    ? `${Math.round(seconds / 3600)} h ago`
    : `${Math.round(seconds / 86_400)} days ago`;
}

const CLASS_WORDS: Record<DataClass, string> = {
  identity: "who they are",
  contact: "how to reach them",
  orders: "what they bought",
  payment: "how they pay",
  catalog: "products",
};
export const list = (words: readonly string[]): string => new Intl.ListFormat("en-GB").format(words);
export const classWords = (classes: readonly DataClass[]): string =>
  list(classes.map((each) => CLASS_WORDS[each]));

type Seen = Pick<Incident, "rule" | "observed" | "threshold" | "window_ms">;

type Noun = readonly [one: string, many: string];
const PEOPLE: Noun = ["person", "people"];
/** What rules count. */
const COUNTED: Record<Exclude<Rule["kind"], "budget">, Noun> = {
  subjects: PEOPLE,
  profile: PEOPLE,
  sequence: PEOPLE,
  products: ["product", "products"],
  adjacency: ["number that lies beside another", "numbers that lie side by side"],
  misses: ["call for what does not exist", "calls for what does not exist"],
  canary: ["planted record", "planted records"],
  taint: ["text like an instruction", "texts like instructions"],
  flooding: PEOPLE,
};

/** So many of what a rule counts: `8 people`. */
function countWords(count: number, rule: Rule | undefined): string {
  if (rule === undefined) return number(count);
  if (rule.kind === "budget") return plural(count, rule.of === "bytes" ? "byte" : "record");
  return plural(count, ...COUNTED[rule.kind]);
}

const letThrough = (count: number): string => `${number(count)} ${count === 1 ? "is" : "are"} let through`;

/** What a rule saw, for who knows which rule it is: `8 people, where 7 are let through in 10 minutes`. */
export function seenWords({ observed, threshold, window_ms }: Seen, rule: Rule | undefined): string {
  const within = window_ms > 0 ? ` in ${duration(window_ms)}` : "";
  return `${countWords(observed, rule)}, where ${letThrough(threshold)}${within}`;
}

/** What the caller did, as the end of a sentence that begins with its name. */
export function didWhat({ rule: id, observed, threshold, window_ms }: Seen, rule: Rule | undefined): string {
  const within = window_ms > 0 ? ` within ${duration(window_ms)}` : "";
  const limit = `; ${letThrough(threshold)}`;
  const seen = countWords(observed, rule);
  switch (rule?.kind) {
    case undefined:
      if (id === AUDIT_FULL)
        return `filled its audit: past ${number(threshold)} records the oldest go before their ${duration(window_ms)} are over`;
      return `set off the rule ${id}: ${seen} seen${within}${limit}`;
    case "subjects":
      return `read the data of ${seen}${within}${limit}`;
    case "profile":
      return `gathered ${classWords(rule.classes)} of ${seen}${within}${limit}`;
    case "sequence":
      return `went ${stepWords(rule)} about ${seen}${within}${limit}`;
    case "budget":
      return rule.classes === undefined
        ? `changed up to ${seen}${within}${limit}`
        : `asked for up to ${seen} of personal data${within}${limit}`;
    case "products":
      return `went through ${seen}${within}${limit}`;
    case "adjacency":
      return `asked for ${seen}${within}${limit}`;
    case "misses":
      return `asked ${plural(observed, "time")} for what does not exist${within}${limit}`;
    case "canary":
      return "came upon a planted record, which no honest work leads to";
    case "taint":
      return "was about to change something right after reading a customer's text that reads like an instruction";
    case "flooding":
      return `read about so many people that ${number(observed)} were pushed out of the detector's memory${within}${limit}`;
    default: {
      const none: never = rule;
      return none;
    }
  }
}

function stepWords({ steps }: Extract<Rule, { kind: "sequence" }>): string {
  const words = steps.map(({ classes, tools, kinds }) =>
    classes === undefined ? list([...(tools ?? []), ...(kinds ?? [])]) : classWords(classes),
  );
  return `from ${words.join(" to ")}`;
}

/** A rule's limits. */
export function ruleWords(rule: Rule): string {
  switch (rule.kind) {
    case "canary":
      return "one is enough";
    case "taint":
      return `within ${duration(rule.window)} after it`;
    case "products":
      return rule.limits
        .map(
          ({ share, least, window }) =>
            `${number(share * 100)} % of the catalog, at least ${number(least)}, in ${duration(window)}`,
        )
        .join("; ");
    case "misses":
      return rule.limits
        .map(
          ({ max, share, window }) =>
            `${number(max)}, where they are ${number(share * 100)} % of such calls, in ${duration(window)}`,
        )
        .join("; ");
    case "subjects":
    case "profile":
    case "sequence":
    case "budget":
    case "adjacency":
    case "flooding":
      return rule.limits.map(({ max, window }) => `${number(max)} in ${duration(window)}`).join("; ");
    default: {
      const none: never = rule;
      return none;
    }
  }
}

type Verdict = Incident["verdict"];

/** What became of the caller's calls. */
export const HAPPENED: Record<Verdict, string> = {
  flag: "Its calls go on, and it was told nothing.",
  throttle: "It is told to wait before it goes on.",
  confirm: "Its calls wait for a person's answer.",
  block: "All its calls about data are refused, for a day.",
};

/** The same of many callers at once, of whom none waits for a person. */
export const HAPPENED_TO_MANY: Record<Verdict, string> = {
  flag: "Their calls go on, and they were told nothing.",
  throttle: "Each is told to wait before it goes on.",
  confirm: "Their calls wait for a person's answer.",
  block: "All their calls about data are refused, for a day.",
};

export const TO_DO: Record<Verdict, string> = {
  flag: "Look at the calls. Where they are no honest work, disable the caller; close this when you have looked.",
  throttle:
    "Nothing has to be done: it is slowed down by itself. Let it through where the work is yours; disable the caller where it is nobody's.",
  confirm:
    "Let it through if you know what it is doing, and for whom: it is asked about again where it goes much further. Decline otherwise. Where the key may be stolen, disable the caller.",
  block:
    "Release it if you know what it is doing, and for whom. Where the key may be stolen, disable the caller.",
};

/** What a rule does, or would do. */
export const DOES: Record<Verdict, string> = {
  flag: "is recorded",
  throttle: "has to wait",
  confirm: "needs a person's answer",
  block: "is refused, with all that follows",
};

export const STATUS: Record<Incident["status"], string> = {
  open: "Open",
  released: "Let through",
  declined: "Declined",
  closed: "Closed",
};
