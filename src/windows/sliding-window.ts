/** Weight admitted at a moment, in milliseconds since the epoch. */
export interface Charge {
  at: number;
  weight: number;
}

/**
 * Charges in order of time; what is older than the window's length is dropped as time goes on. Two lists of plain
 * numbers, 16 bytes a charge, as a list of objects takes three times that of the memory that one caller may occupy.
 */
export interface SlidingWindow {
  times: number[];
  weights: number[];
  total: number;
}

export const emptyWindow = (): SlidingWindow => ({ times: [], weights: [], total: 0 });

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
  for (const [index, leaves] of window.weights.entries()) {
    excess -= leaves;
    if (excess <= 0) return (window.times[index] ?? now) + windowMs;
  }
  return Infinity;
}

/** Adds a charge. `now` is not before any charge's time: the caller's clock never goes back. */
export function charge(window: SlidingWindow, weight: number, now: number): void {
  const { times, weights } = window;
  const last = times.length - 1;
  if (times[last] === now) weights[last] = (weights[last] ?? 0) + weight;
  else {
    times.push(now);
    weights.push(weight);
  }
  window.total += weight;
}

function expire(window: SlidingWindow, windowMs: number, now: number): void {
  const alive = window.times.findIndex((at) => at + windowMs > now);
  const expired = alive === -1 ? window.times.length : alive;
  if (expired === 0) return;
  window.times.splice(0, expired);
  for (const weight of window.weights.splice(0, expired)) window.total -= weight;
}
