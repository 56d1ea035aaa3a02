import { remember } from "../remember.ts";

interface Limit {
  max: number;
  window_s: number;
}

/** A network's budget as a multiple of one address's: a subscriber holds thousands of addresses. */
const ADDRESSES = 10;

/** Returns the limit of a network, given the limit of an address. */
export const limitOfNetwork = ({ max, window_s }: Limit): Limit => ({ max: ADDRESSES * max, window_s });

/**
 * Budgets in one isolate's memory, one for each key, for cheap work that is not worth an object and a record. Each is a GCRA:
 * one time per key, up to `max` at once, then `max` in every `window_s`. Other isolates count for themselves, and the key
 * idle longest is forgotten first, so these bound one isolate's work and are not exact quotas.
 */
export class IsolateBudget {
  /** When each key has its whole budget again, in milliseconds since the epoch, least recently used first. */
  readonly #fullAt = new Map<string, number>();

  /** Returns the milliseconds until one more fits; 0 if it fits now. */
  waitMs(key: string, { max, window_s }: Limit, now: number): number {
    const windowMs = window_s * 1000;
    const fullAt = this.#fullFrom(key, windowMs, now);
    return Math.max(0, Math.ceil(fullAt + windowMs / max - windowMs - now));
  }

  /** Counts one, or `weight`, whether or not it fits. */
  charge(key: string, { max, window_s }: Limit, now: number, weight = 1): void {
    const windowMs = window_s * 1000;
    const fullAt = this.#fullFrom(key, windowMs, now);
    remember(this.#fullAt, key, Math.min(fullAt + (weight * windowMs) / max, now + windowMs));
  }

  /** Reverts one charge. */
  refund(key: string, limit: Limit, now: number): void {
    if (!this.isIdle(key, limit, now)) this.charge(key, limit, now, -1);
  }

  /** Counts one if it fits. Returns the milliseconds to wait if it does not, else 0. */
  take(key: string, limit: Limit, now: number): number {
    const wait = this.waitMs(key, limit, now);
    if (wait === 0) this.charge(key, limit, now);
    return wait;
  }

  /** Whether nothing was counted for the key lately. */
  isIdle(key: string, { window_s }: Limit, now: number): boolean {
    return this.#fullFrom(key, window_s * 1000, now) === now;
  }

  /**
   * Returns the key's time, at least `now`. A time beyond the window was counted before the clock was set back, and is
   * ignored.
   */
  #fullFrom(key: string, windowMs: number, now: number): number {
    const fullAt = this.#fullAt.get(key) ?? 0;
    return fullAt > now + windowMs ? now : Math.max(fullAt, now);
  }
}

/** The names seen most recently, such as of valid credentials. A missing name may only have been forgotten. */
export class RecentNames {
  readonly #names = new Map<string, true>();

  has(name: string): boolean {
    return this.#names.has(name);
  }

  add(name: string): void {
    remember(this.#names, name, true);
  }

  delete(name: string): void {
    this.#names.delete(name);
  }
}
