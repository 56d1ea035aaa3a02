import type { Limit, Policy } from "../policy/schema.ts";
import type { Target } from "./target.ts";
import { type SlidingWindow, charge, emptyWindow, fitsAt } from "../caller/rate/sliding-window.ts";

/** Callers remembered by one isolate; a flood of them can't grow its memory. */
const CALLERS_MAX = 1_000;

/** Calls and products served unguarded to one caller, or to all callers together. */
interface Served {
  calls: SlidingWindow;
  products: SlidingWindow;
}
const callers = new Map<string, Served>();
const everybody = emptyWindow();

/** A call, and the most products that its answer can hold. */
export type Unguarded = Pick<Target, "name" | "bucket"> & { products: number };

/**
 * Decides whether a call may run unguarded while the caller's Durable Object can't be reached. It must be one that the policy
 * names, within this isolate's limits of calls and products for the caller and for all callers. Counts the call if it may
 * run.
 */
export function mayGoOn(
  { fail_open }: Policy,
  principal: string,
  { name, bucket, products }: Unguarded,
  now: number,
): boolean {
  const { targets, limit, products: max } = fail_open;
  // Discovery always may: without it, no client could connect to make the calls that the policy names.
  if (bucket !== "discovery" && !targets.includes(name)) return false;
  const known = callers.get(principal);
  // Deny rather than forget: forgetting a caller would give it a fresh limit.
  if (known === undefined && callers.size >= CALLERS_MAX && !forgetIdle(fail_open, now)) return false;
  const served = known ?? { calls: emptyWindow(), products: emptyWindow() };
  callers.set(principal, served);
  const perCaller = { max: max.per_caller, window_s: max.window_s };
  const perIsolate = { max: max.per_isolate, window_s: max.window_s };
  const isRoom =
    fits(served.calls, 1, limit, now) &&
    (products === 0 ||
      (fits(served.products, products, perCaller, now) && fits(everybody, products, perIsolate, now)));
  if (!isRoom) return false;
  charge(served.calls, 1, now);
  if (products === 0) return true;
  charge(served.products, products, now);
  charge(everybody, products, now);
  return true;
}

function fits(window: SlidingWindow, weight: number, { max, window_s }: Limit, now: number): boolean {
  // A charge in the future was counted before the clock was set back, and would never expire.
  if (lastAt(window) > now) Object.assign(window, emptyWindow());
  return fitsAt(window, weight, { max, windowMs: window_s * 1000 }, now) <= now;
}

const lastAt = ({ times }: SlidingWindow): number => times.at(-1) ?? -Infinity;

function forgetIdle({ limit, products: max }: Policy["fail_open"], now: number): boolean {
  for (const [principal, { calls, products }] of callers)
    if (isIdle(calls, limit.window_s, now) && isIdle(products, max.window_s, now)) callers.delete(principal);
  return callers.size < CALLERS_MAX;
}

const isIdle = (window: SlidingWindow, seconds: number, now: number): boolean =>
  lastAt(window) > now || lastAt(window) + seconds * 1000 <= now;
