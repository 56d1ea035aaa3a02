import { tokenOf } from "../detection/tokens.ts";
import type { Policy } from "../policy/schema.ts";
import { clip, plainLine } from "../text/plain-text.ts";

const VALUE_MAX = 200;

type Shown = string | number | boolean | null;

/** Arguments as the audit keeps them, as JSON: those that may be seen, cut. */
export const redactArguments = (policy: Policy, target: string, args: unknown): string =>
  JSON.stringify(shownArguments(policy, target, args, showValue));

/**
 * Those that the policy names for this tool, as `show` shows each, and how many others there were. Names
 * that the policy does not know are the caller's text too, and are counted only.
 */
export function shownArguments(
  policy: Policy,
  target: string,
  args: unknown,
  show: (value: unknown) => Shown,
): Record<string, Shown> {
  if (typeof args !== "object" || args === null) return {};
  const { except } = policy.redact;
  const shown = Object.hasOwn(except, target) ? (except[target] ?? []) : [];
  const entries = Object.entries(args);
  const kept = entries.filter(([name]) => shown.includes(name));
  const redacted = entries.length - kept.length;
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, show(value)])),
    ...(redacted > 0 && { redacted }),
  };
}

/** For the log, which leaves this server: what a caller typed may name a person, whatever the argument is for. */
export function lengthOnly(value: unknown): Shown {
  if (typeof value === "string") return `text of ${value.length}`;
  if (typeof value === "object" && value !== null)
    return Array.isArray(value) ? `list of ${value.length}` : "object";
  return showValue(value);
}

function showValue(value: unknown): Shown {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  return clip(plainLine(typeof value === "string" ? value : JSON.stringify(value)), VALUE_MAX);
}

/** Equal for equal arguments in any order of names; keyed, so that a likely value can't be tried on it. */
export const digestArguments = (args: unknown, key: string): string =>
  tokenOf("arguments", JSON.stringify(sorted(args ?? {})), key);

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => [name, sorted(each)]);
}
