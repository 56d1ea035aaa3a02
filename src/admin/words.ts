import type { DataClass } from "../flow/labels.ts";
import type { Rule } from "../flow/rules.ts";
import { DAY, HOUR } from "../flow/window.ts";
import type { Incident } from "../windows/incidents.ts";
import type { Act } from "../windows/records.ts";

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
const list = (words: readonly string[]): string => new Intl.ListFormat("en-GB").format(words);
export const classWords = (classes: readonly DataClass[]): string =>
  list(classes.map((each) => CLASS_WORDS[each]));

type Seen = Pick<Incident, "rule" | "observed" | "threshold" | "window_ms">;

/** What the caller did, as the end of a sentence that begins with its name. */
export function didWhat({ rule: id, observed, threshold, window_ms }: Seen, rule: Rule | undefined): string {
  const within = window_ms > 0 ? ` within ${duration(window_ms)}` : "";
  const limit = `; ${number(threshold)} ${threshold === 1 ? "is" : "are"} let through`;
  const people = plural(observed, "person", "people");
  switch (rule?.kind) {
    case undefined:
      return `set off the rule ${id}: ${number(observed)} seen${within}${limit}`;
    case "subjects":
      return `read the data of ${people}${within}${limit}`;
    case "profile":
      return `gathered ${classWords(rule.classes)} of ${people}${within}${limit}`;
    case "sequence":
      return `went ${stepWords(rule)} about ${people}${within}${limit}`;
    case "budget":
      return rule.classes === undefined
        ? `changed up to ${number(observed)} ${rule.of}${within}${limit}`
        : `asked for up to ${number(observed)} ${rule.of} of personal data${within}${limit}`;
    case "products":
      return `went through ${plural(observed, "product")}${within}${limit}`;
    case "adjacency":
      return `asked for ${plural(observed, "number")} that lie side by side${within}${limit}`;
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

/** Who decided or changed something. */
export function byWords(by: string): string {
  if (by === "principal") return "the caller, in its client's form";
  return by === "sign-on" ? "the sign-in provider" : by;
}

/** What was done to a caller, behind the name of whoever did it. */
export function actWords(act: Act): string {
  if (act.kind === "change") return changeWords(act);
  const past = act.rules.length === 0 ? "" : ` past ${list(act.rules)}`;
  switch (act.decision) {
    case "released":
      return `let it through${past}`;
    case "declined":
      return `declined to let it through${past}`;
    case "closed":
      return "closed an incident";
    case "disabled":
      return "disabled it";
    case "enabled":
      return "enabled it";
    default: {
      const none: never = act.decision;
      return none;
    }
  }
}

function changeWords({ change, roles, key, customer }: Extract<Act, { kind: "change" }>): string {
  const named = list(roles ?? []) || "no role";
  switch (change) {
    case "user_added":
      return `added it, with ${named}${customer === null ? "" : `, for customer ${customer}`}`;
    case "roles_set":
      return `set its roles: ${named}`;
    case "customer_set":
      return customer === null ? "took its customer away" : `made ${customer} its customer`;
    case "key_added":
      return `gave it the access key ${key}${roles === null ? "" : `, for ${named} alone`}`;
    case "key_revoked":
      return `revoked its access key ${key}`;
    case "signing_key_added":
      return `gave it the signing key ${key}`;
    case "signing_key_revoked":
      return `revoked its signing key ${key}`;
    default: {
      const none: never = change;
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
