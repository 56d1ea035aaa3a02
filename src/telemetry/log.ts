import { clip, plainLine } from "../text/plain-text.ts";
import { type EventFields, type EventName, events } from "./events.ts";
import { scrub } from "./scrub.ts";

const ERROR_MAX = 2_000;
const MESSAGE_MAX = 200;

/**
 * Writes one JSON line: time, level, event, and the fields that the table lists for it. Never throws: a failing console
 * must not fail the request.
 */
export function logEvent<Name extends EventName>(event: Name, given: EventFields<Name>): void {
  const { level, fields } = events[event];
  const values: Record<string, unknown> = given;
  const line: Record<string, unknown> = { timestamp: new Date().toISOString(), level, event };
  for (const field of fields) line[field] = values[field];
  try {
    console[level](JSON.stringify(line));
  } catch {
    // There is nowhere left to report it.
  }
}

/** Logs the cause of an unexpected error. No answer ever contains it. */
export function logSurprise(error: unknown, about: { correlation_id?: string; what: string }): void {
  logEvent("internal_error", { correlation_id: undefined, ...about, error: causeText(error) });
}

export function causeText(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return scrub(text.slice(0, ERROR_MAX));
}

/** Cleans somebody else's text for one line of the log. */
export const foreignText = (text: string): string => scrub(clip(plainLine(text), MESSAGE_MAX));
