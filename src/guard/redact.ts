import { tokenOf } from "../detection/tokens.ts";
import type { Policy } from "../policy/schema.ts";
import { clip, plainLine } from "../text/plain-text.ts";

const VALUE_MAX = 200;

type Shown = string | number | boolean | null;

/** Returns the arguments for the audit, as JSON: the ones that may be seen, clipped. */
export const redactArguments = (policy: Policy, target: string, args: unknown): string =>
  JSON.stringify(shownArguments(policy, target, args, showValue));

/**
 * Returns the arguments that the policy exempts from redaction for this target, each through `show`, and the number of all
 * others. An argument's name can be the caller's own text, so names that the policy does not list are only counted.
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
  const entries = Object.entries(args).filter(([, value]) => value !== undefined);
  const kept = entries.filter(([name]) => shown.includes(name));
  const redacted = entries.length - kept.length;
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, show(value)])),
    ...(redacted > 0 && { redacted }),
  };
}

/** Shows only the size of text, for the log, which leaves this server: any text that a caller typed may name a person. */
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

/**
 * Returns a digest that is equal for equal arguments in any order of names. It is keyed, so that nobody can test guesses
 * against it.
 */
export const digestArguments = (args: unknown, key: string): string =>
  tokenOf("arguments", JSON.stringify(sorted(args ?? {})), key);

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => [name, sorted(each)]);
}
