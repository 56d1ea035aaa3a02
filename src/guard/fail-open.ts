import type { Policy } from "../policy/schema.ts";
import type { Target } from "./target.ts";
import { type SlidingWindow, charge, emptyWindow, fitsAt } from "../windows/sliding-window.ts";

/** Callers remembered by one isolate; a flood of them can't grow its memory. */
const CALLERS_MAX = 1_000;
const callers = new Map<string, SlidingWindow>();

/**
 * Whether a call may go on unguarded while the caller's Durable Object can't be reached: only what the
 * policy names, and under a small limit that this isolate keeps by itself.
 */
export function mayGoOn(
  policy: Policy,
  principal: string,
  target: Pick<Target, "name" | "bucket">,
  now: number,
): boolean {
  const { targets, limit } = policy.fail_open;
  // Without discovery no client could connect to call what goes on.
  if (target.bucket !== "discovery" && !targets.includes(target.name)) return false;
  const known = callers.get(principal);
  // Deny rather than forget: forgetting a caller would give it a fresh limit.
  if (known === undefined && callers.size >= CALLERS_MAX && !forgetIdle(limit.window_s * 1000, now))
    return false;
  const window = known ?? emptyWindow();
  callers.set(principal, window);
  if (fitsAt(window, 1, { max: limit.max, windowMs: limit.window_s * 1000 }, now) > now) return false;
  charge(window, 1, now);
  return true;
}

function forgetIdle(windowMs: number, now: number): boolean {
  for (const [principal, { times }] of callers) {
    const last = times.at(-1);
    if (last === undefined || last + windowMs <= now) callers.delete(principal);
  }
  return callers.size < CALLERS_MAX;
}
