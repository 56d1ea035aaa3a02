import { type SlidingWindow, charge, emptyWindow, usedAt } from "./sliding-window.ts";

/** Milliseconds that an object may take to answer. */
const WINDOW_MS = 3_000;
/** An idle object answers this many calls in a fraction of that time. */
const BUSY_CALLS = 50;
/** Callers remembered by one isolate, so that a flood of callers can't grow its memory. */
const CALLERS_MAX = 1_000;

const sent = new Map<string, SlidingWindow>();

/** Counts calls that this isolate sends to a caller's object. */
export function noteSent(principal: string, calls: number, now: number): void {
  const known = sent.get(principal);
  if (known === undefined && sent.size >= CALLERS_MAX && !forgetIdle(now)) return;
  const window = known ?? emptyWindow();
  usedAt(window, WINDOW_MS, now);
  charge(window, calls, now);
  sent.set(principal, window);
}

/** Whether this isolate has sent the object so many of its caller's calls that they explain why it did not answer. */
export function isKeptBusy(principal: string, now: number): boolean {
  const window = sent.get(principal);
  return window !== undefined && usedAt(window, WINDOW_MS, now) >= BUSY_CALLS;
}

function forgetIdle(now: number): boolean {
  for (const [principal, window] of sent) if (usedAt(window, WINDOW_MS, now) === 0) sent.delete(principal);
  return sent.size < CALLERS_MAX;
}
