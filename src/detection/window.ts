import * as z from "zod";

const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const UNITS: Record<string, number> = { m: MINUTE, h: HOUR, d: DAY };
const LONGEST = 30 * DAY;

/** Parses `10m`, `24h` or `30d` into milliseconds. An event of exactly that age has left the window. */
export const windowSchema = z
  .string()
  .regex(/^[1-9]\d{0,4}[mhd]$/, "Give a number and m, h or d, such as 10m, 24h or 30d")
  .transform((text) => Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? 0))
  .refine((ms) => ms <= LONGEST, "A window is 30d at most")
  .describe("How far back to look: minutes, hours or days, from 1m to 30d, such as 10m, 24h or 30d");

export const inWindow = (then: number, now: number, windowMs: number): boolean => now - then < windowMs;
