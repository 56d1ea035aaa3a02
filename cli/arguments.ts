import { InvalidArgumentError } from "commander";

/** Reads a command's whole number of 0 or more. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("Not a whole number.");
  return value;
}

/** Reads a command's port; 0 asks for any that is free. */
export function portNumber(text: string): number {
  const port = wholeNumber(text);
  if (port > 65_535) throw new InvalidArgumentError("A port is 65535 at most.");
  return port;
}

/** Reads a command's number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError("Not a number above 0.");
  return value;
}

/** Reads an id that becomes part of a path: nothing, or dots alone, would lead to another. */
export function idInPath(text: string): string {
  if (/^\.*$/.test(text)) throw new InvalidArgumentError(text === "" ? "It is empty." : "It is no id.");
  return text;
}

/** Reads days until a key expires, as the admin API takes them. */
export function keyDays(text: string): number {
  const days = wholeNumber(text);
  if (days < 1 || days > 3_650) throw new InvalidArgumentError("A key lives 1 to 3650 days.");
  return days;
}

/** Reads roles, apart by spaces or by commas, which are in no role's name. */
export function roleNames(text: string, before: string[] = []): string[] {
  return [...before, ...text.split(",").filter((name) => name !== "")];
}
