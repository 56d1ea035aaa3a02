interface Limit {
  max: number;
  window_s: number;
}

/** How many times the budget of one address the network around it has: a subscriber holds thousands of addresses. */
const ADDRESSES = 10;

/** The limit of a network, where `limit` is that of an address. */
export const limitOfNetwork = ({ max, window_s }: Limit): Limit => ({ max: ADDRESSES * max, window_s });

/** Keys that one budget remembers: a flood of them can't grow the isolate's memory. */
const KEYS_MAX = 10_000;

/**
 * Budgets that one isolate keeps in its memory, one for each key, for cheap work that is not worth an object and a record.
 * They are GCRA: one time a key, up to `max` at once, and `max` in every `window_s` from then on. Another isolate counts for
 * itself, and a key that was idle longest is forgotten first, so these are bounds of one isolate's work and not exact quotas.
 */
export class IsolateBudget {
  /** When each key has its whole budget again, in milliseconds since the epoch; the one used last is last. */
  readonly #fullAt = new Map<string, number>();

  /** Milliseconds until one more fits; 0 if it fits now. */
  waitMs(key: string, { max, window_s }: Limit, now: number): number {
    const windowMs = window_s * 1000;
    const fullAt = this.#fullFrom(key, windowMs, now);
    return Math.max(0, Math.ceil(fullAt + windowMs / max - windowMs - now));
  }

  /** Counts one, or `weight`, whether or not it fits. */
  charge(key: string, { max, window_s }: Limit, now: number, weight = 1): void {
    const windowMs = window_s * 1000;
    const fullAt = this.#fullFrom(key, windowMs, now);
    this.#fullAt.delete(key);
    this.#fullAt.set(key, Math.min(fullAt + (weight * windowMs) / max, now + windowMs));
    const [oldest] = this.#fullAt.keys();
    if (this.#fullAt.size > KEYS_MAX && oldest !== undefined) this.#fullAt.delete(oldest);
  }

  /** Takes back what was counted for one. */
  refund(key: string, limit: Limit, now: number): void {
    if (!this.isIdle(key, limit, now)) this.charge(key, limit, now, -1);
  }

  /** Counts one if it fits; gives the milliseconds to wait if it does not, else 0. */
  take(key: string, limit: Limit, now: number): number {
    const wait = this.waitMs(key, limit, now);
    if (wait === 0) this.charge(key, limit, now);
    return wait;
  }

  /** Whether nothing was counted for the key lately. */
  isIdle(key: string, { window_s }: Limit, now: number): boolean {
    return this.#fullFrom(key, window_s * 1000, now) === now;
  }

  /** Not before now. A time beyond the window was counted before the machine's clock was set back, and is forgotten. */
  #fullFrom(key: string, windowMs: number, now: number): number {
    const fullAt = this.#fullAt.get(key) ?? 0;
    return fullAt > now + windowMs ? now : Math.max(fullAt, now);
  }
}

/** The names seen last, such as of credentials that were good; a name that is not here may have been forgotten. */
export class RecentNames {
  readonly #names = new Set<string>();

  has(name: string): boolean {
    return this.#names.has(name);
  }

  add(name: string): void {
    this.#names.delete(name);
    this.#names.add(name);
    const [oldest] = this.#names;
    if (this.#names.size > KEYS_MAX && oldest !== undefined) this.#names.delete(oldest);
  }

  delete(name: string): void {
    this.#names.delete(name);
  }
}
