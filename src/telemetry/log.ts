type Value = string | number | boolean | null | undefined;

/** One JSON line per event. Fields are named by the caller; whole objects are never dumped. */
export function logEvent(level: "info" | "error", event: string, fields: Record<string, Value>): void {
  console[level](JSON.stringify({ event, ...fields }));
}

/** The cause of a surprise, for the log alone: no answer ever carries it. */
export function logSurprise(error: unknown, fields: Record<string, Value>): void {
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  logEvent("error", "internal_error", { ...fields, error: cause });
}
