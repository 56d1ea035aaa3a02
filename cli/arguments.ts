import { InvalidArgumentError } from "commander";

/** Reads a command's whole number of 0 or more. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("Not a whole number.");
  return value;
}

/** Reads a command's number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) throw new InvalidArgumentError("Not a number above 0.");
  return value;
}
