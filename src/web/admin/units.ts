import { DAY, HOUR } from "../../detection/window.ts";

// Numbers, durations and lists in words.

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

/** `a, b and c`. */
export const list = (words: readonly string[]): string => new Intl.ListFormat("en-GB").format(words);
