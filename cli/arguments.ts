import { InvalidArgumentError } from "commander";

/** Parses a whole number of 0 or more. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("It must be a whole number of 0 or more.");
  return value;
}

/** Parses a port; 0 asks for any free port. */
export function portNumber(text: string): number {
  const port = wholeNumber(text);
  if (port > 65_535) throw new InvalidArgumentError("A port is at most 65535.");
  return port;
}

/** Parses a number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}

/**
 * Parses an id that becomes part of a path. An empty id, `.` and `..` are rejected because they would change
 * the path.
 */
export function idInPath(text: string): string {
  if (/^\.*$/.test(text)) throw new InvalidArgumentError(text === "" ? "It is empty." : "It is not an id.");
  return text;
}

/** Parses the days until a key expires, within the admin API's limits. */
export function keyDays(text: string): number {
  const days = wholeNumber(text);
  if (days < 1 || days > 3_650) throw new InvalidArgumentError("A key lives 1 to 3650 days.");
  return days;
}

/** Parses roles separated by spaces or commas; no role name contains either. */
export function roleNames(text: string, before: string[] = []): string[] {
  return [...before, ...text.split(",").filter((name) => name !== "")];
}
