/** Weight admitted at a moment, in milliseconds since the epoch. */
export interface Charge {
  at: number;
  weight: number;
}

/**
 * Charges in order of time. Two lists of numbers take 16 bytes a charge; a list of objects would take three times as much of
 * the memory that one caller may use.
 */
export interface Charges {
  times: number[];
  weights: number[];
}

export const noCharges = (): Charges => ({ times: [], weights: [] });

export const listCharges = ({ times, weights }: Charges): Charge[] =>
  times.map((at, index) => ({ at, weight: weights[index] ?? 0 }));

/** `now` must not be before the last charge; the caller's clock never goes back. */
export function addCharge({ times, weights }: Charges, weight: number, now: number): void {
  const last = times.length - 1;
  if (times[last] === now) {
    weights[last] = (weights[last] ?? 0) + weight;
    return;
  }
  times.push(now);
  weights.push(weight);
}

/** Charges of one window. Older ones are dropped as time goes on. */
export interface SlidingWindow extends Charges {
  total: number;
}

export const emptyWindow = (): SlidingWindow => ({ ...noCharges(), total: 0 });

/**
 * Returns when `weight` more fits under `max`: `now` if it fits already, else the first moment at which enough has left the
 * window. A charge at t counts in [t, t + windowMs). Infinity if it never fits.
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
  for (const [index, at] of window.times.entries()) {
    excess -= window.weights[index] ?? 0;
    if (excess <= 0) return at + windowMs;
  }
  return Infinity;
}

/** Returns the weight in the window now. */
export function usedAt(window: SlidingWindow, windowMs: number, now: number): number {
  expire(window, windowMs, now);
  return window.total;
}

/** Adds a charge, like addCharge, and updates the total. */
export function charge(window: SlidingWindow, weight: number, now: number): void {
  addCharge(window, weight, now);
  window.total += weight;
}

function expire(window: SlidingWindow, windowMs: number, now: number): void {
  const alive = window.times.findIndex((at) => at + windowMs > now);
  const count = alive === -1 ? window.times.length : alive;
  if (count === 0) return;
  window.times.splice(0, count);
  for (const weight of window.weights.splice(0, count)) window.total -= weight;
}
