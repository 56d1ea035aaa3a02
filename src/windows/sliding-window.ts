/** Weight admitted at a moment, in milliseconds since the epoch. */
export interface Charge {
  at: number;
  weight: number;
}

/** Charges in order of time; what is older than the window's length is dropped as time goes on. */
export interface SlidingWindow {
  charges: Charge[];
  total: number;
}

export const emptyWindow = (): SlidingWindow => ({ charges: [], total: 0 });

/**
 * When `weight` more would fit under `max`: `now` where it fits already, else the first moment at which
 * enough has left the window. A charge at t counts in [t, t + windowMs). Infinity where it never fits.
 */
export function fitsAt(
  window: SlidingWindow,
  weight: number,
  { max, windowMs }: { max: number; windowMs: number },
  now: number,
): number {
  expire(window, windowMs, now);
  let excess = window.total + weight - max;
  if (excess <= 0) return now;
  for (const { at, weight: leaves } of window.charges) {
    excess -= leaves;
    if (excess <= 0) return at + windowMs;
  }
  return Infinity;
}

/** Adds a charge. `now` is not before any charge's time: the caller's clock never goes back. */
export function charge(window: SlidingWindow, weight: number, now: number): void {
  const last = window.charges.at(-1);
  if (last?.at === now) last.weight += weight;
  else window.charges.push({ at: now, weight });
  window.total += weight;
}

function expire(window: SlidingWindow, windowMs: number, now: number): void {
  const alive = window.charges.findIndex(({ at }) => at + windowMs > now);
  const expired = window.charges.splice(0, alive === -1 ? window.charges.length : alive);
  for (const { weight } of expired) window.total -= weight;
}
