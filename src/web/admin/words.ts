import type { DataClass } from "../../detection/labels.ts";
import type { Rule } from "../../detection/rules.ts";
import { DAY, HOUR } from "../../detection/window.ts";
import { AUDIT_FULL, type Incident } from "../../incidents/incident-record.ts";

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

const allowed = (count: number): string => `${number(count)} ${count === 1 ? "is" : "are"} allowed`;

/** What a rule saw, for who knows which rule it is: `8 people, where 7 are allowed in 10 minutes`. */
export function seenWords({ observed, threshold, window_ms }: Seen, rule: Rule | undefined): string {
  const within = window_ms > 0 ? ` in ${duration(window_ms)}` : "";
  return `${countWords(observed, rule)}, where ${allowed(threshold)}${within}`;
}

/** What the caller did, as the end of a sentence that begins with its name. A call that was stopped counts as tried. */
export function didWhat(
  { rule: id, verdict, observed, threshold, window_ms }: Seen & Pick<Incident, "verdict">,
  rule: Rule | undefined,
): string {
  const within = window_ms > 0 ? ` within ${duration(window_ms)}` : "";
  const limit = `${within}; ${allowed(threshold)}`;
  const seen = countWords(observed, rule);
  const did = (past: string, verb: string) => (verdict === "flag" ? past : `tried to ${verb}`);
  switch (rule?.kind) {
    case undefined:
      if (id === AUDIT_FULL)
        return `filled its audit: past ${number(threshold)} records the oldest go before their ${duration(window_ms)} are over`;
      return `set off the rule ${id}: ${seen} seen${limit}`;
    case "subjects":
      return `${did("read", "read")} the data of ${seen}${limit}`;
    case "profile":
      return `${did("gathered", "gather")} ${classWords(rule.classes)} of ${seen}${limit}`;
    case "sequence":
      return `${did("went", "go")} ${stepWords(rule)} about ${seen}${limit}`;
    case "budget":
      return rule.classes === undefined
        ? `${did("changed", "change")} up to ${seen}${limit}`
        : `asked for up to ${seen} of personal data${limit}`;
    case "products":
      return `${did("read", "read")} up to ${seen}${limit}`;
    case "adjacency":
      return `asked for ${seen}${limit}`;
    case "misses":
      return `asked ${plural(observed, "time")} for what does not exist${limit}`;
    case "canary":
      return "read a planted record, which no honest work leads to";
    case "taint":
      return "tried to change something right after reading a customer's text that reads like an instruction";
    case "flooding":
      return `read about so many people that ${number(observed)} were pushed out of the detector's memory${limit}`;
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
            `${number(max)}${share === undefined ? "" : `, where they are ${number(share * 100)} % of such calls,`} in ${duration(window)}`,
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

/** What becomes of the caller's calls, or became of them if what the rule counted is past by now. */
export function happened(
  { verdict, last_at, window_ms }: Pick<Incident, "verdict" | "last_at" | "window_ms">,
  now: number,
): string {
  const isPast = window_ms > 0 && last_at + window_ms <= now;
  return (isPast ? HAPPENED_BEFORE[verdict] : undefined) ?? HAPPENED[verdict];
}

const HAPPENED_BEFORE: Partial<Record<Verdict, string>> = {
  throttle: "It was told to wait, and may go on by now.",
  confirm: "Its calls waited for a person's answer, and may go on by now.",
};

const HAPPENED: Record<Verdict, string> = {
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
  flag: "Look at the calls. If this isn't legitimate, disable the caller. Otherwise close the incident.",
  throttle:
    "Nothing has to be done: the caller is slowed down. Allow it if the work is yours. Disable the caller if it is nobody's.",
  confirm:
    "Allow it if you know what the caller is doing, and for whom: you are asked again if it goes much further. Otherwise decline. If its key may be stolen, disable the caller.",
  block:
    "Allow it if you know what the caller is doing, and for whom. If its key may be stolen, disable the caller.",
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
  released: "Allowed",
  declined: "Declined",
  closed: "Closed",
};
