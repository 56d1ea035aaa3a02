import { clip, plainLine } from "../text/plain-text.ts";
import { type EventFields, type EventName, events } from "./events.ts";
import { scrub } from "./scrub.ts";

const ERROR_MAX = 2_000;
const MESSAGE_MAX = 200;

/**
 * Writes one JSON line: when, the level, the event, and the fields that the table names for it. Never throws: a console that
 * fails must not fail the request.
 */
export function logEvent<Name extends EventName>(event: Name, given: EventFields<Name>): void {
  const { level, fields } = events[event];
  const values: Record<string, unknown> = given;
  const line: Record<string, unknown> = { timestamp: new Date().toISOString(), level, event };
  for (const field of fields) line[field] = values[field];
  try {
    console[level](JSON.stringify(line));
  } catch {
    // There is nowhere left to say it.
  }
}

/** The cause of a surprise, for the log alone: no answer ever carries it. */
export function logSurprise(error: unknown, about: { correlation_id?: string; what: string }): void {
  logEvent("internal_error", { correlation_id: undefined, ...about, error: causeText(error) });
}

export function causeText(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return scrub(text.slice(0, ERROR_MAX));
}

/** A text of somebody else's as one line of the log's. */
export const foreignText = (text: string): string => scrub(clip(plainLine(text), MESSAGE_MAX));
