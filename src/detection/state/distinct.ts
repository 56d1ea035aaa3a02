import * as z from "zod";
import { inWindow } from "../window.ts";
import type { Json, Part } from "./part.ts";

/** All of it is one row, because one search changes most of the table and every written row has its price. */
const ROW = "";
const TABLE_MIN = 16;
/** The level, then hash, time, hash, time, … */
const rowSchema = z.tuple([z.int().nonnegative()], z.int().nonnegative());

/**
 * Estimates how many different things were seen in a window, without keeping them all (adaptive sampling, Wegman's). A
 * thing is kept while the first `level` bits of its hash are zero, and the level rises when more than `capacity` are
 * held. The count is exact up to `capacity` things within `keptMs`. Beyond that it is the upper end of the estimate's
 * two-sigma interval, so a limit errs towards acting too early: by a tenth on average, and too late about once in
 * forty.
 */
export class Distinct implements Part {
  readonly changed = new Set<string>();
  readonly prefix: string;
  readonly #keptMs: number;
  readonly #capacity: number;
  #level = 0;
  #size = 0;
  // Open addressing; a time of 0 marks an empty place. Times are in whole seconds, rounded up.
  #hashes = new Uint32Array(TABLE_MIN);
  #times = new Uint32Array(TABLE_MIN);

  constructor(prefix: string, { keptMs, capacity }: { keptMs: number; capacity: number }) {
    this.prefix = prefix;
    this.#keptMs = keptMs;
    this.#capacity = capacity;
  }

  /** Whether counts are estimates, because not all that was seen is held. */
  get isEstimate(): boolean {
    return this.#level > 0;
  }

  /** No count can exceed this. */
  get most(): number {
    return this.#level === 0 ? this.#size : Infinity;
  }

  /** Counts things seen in the window, and how many of `more` (hashes without duplicates) are not among them. */
  count(now: number, windowMs: number, more: readonly number[]): { seen: number; added: number } {
    let kept = 0;
    for (const time of this.#times) if (time > 0 && inWindow(time * 1000, now, windowMs)) kept++;
    const sampled = 2 ** this.#level;
    const sigma = Math.sqrt(kept * (1 - 1 / sampled)) * sampled;
    return { seen: Math.ceil(kept * sampled + 2 * sigma), added: this.countNew(now, windowMs, more) };
  }

  /**
   * Counts the hashes (without duplicates) that were not seen in the window. A thing outside the sample counts as new.
   */
  countNew(now: number, windowMs: number, hashes: readonly number[]): number {
    let added = 0;
    for (const hash of hashes) {
      const time = this.#times[this.#place(hash)] ?? 0;
      if (time === 0 || !inWindow(time * 1000, now, windowMs)) added++;
    }
    return added;
  }

  see(hash: number, now: number): void {
    const time = Math.ceil(now / 1000);
    if (this.#level > 0 && !this.#times.some((each) => this.#counts(each, now))) this.#beginAnew();
    if (!this.#isSampled(hash)) return;
    const place = this.#place(hash);
    if ((this.#times[place] ?? 0) > 0) {
      if (this.#times[place] === time) return;
      this.#times[place] = time;
    } else {
      this.#put(hash, time);
      if (this.#size > this.#capacity) this.#shrink(now);
    }
    this.changed.add(ROW);
  }

  #counts = (time: number, now: number): boolean => time > 0 && inWindow(time * 1000, now, this.#keptMs);

  /** If nothing held counts any more, the level can return to zero, so that every new thing is kept. */
  #beginAnew(): void {
    this.#level = 0;
    this.#rebuild(TABLE_MIN, () => false);
    this.changed.add(ROW);
  }

  #isSampled(hash: number): boolean {
    return this.#level === 0 || hash >>> (32 - this.#level) === 0;
  }

  /** Returns the place where the hash is, or would be inserted. */
  #place(hash: number): number {
    const mask = this.#hashes.length - 1;
    let place = Math.imul(hash, 0x9e3779b1) & mask;
    while ((this.#times[place] ?? 0) > 0 && this.#hashes[place] !== hash) place = (place + 1) & mask;
    return place;
  }

  #put(hash: number, time: number): void {
    if ((this.#size + 1) * 2 > this.#hashes.length) this.#rebuild(this.#hashes.length * 2, () => true);
    const place = this.#place(hash);
    if ((this.#times[place] ?? 0) === 0) this.#size++;
    this.#hashes[place] = hash;
    this.#times[place] = time;
  }

  /** Drops expired things first, then half of the rest, until the table fits. */
  #shrink(now: number): void {
    this.#rebuild(this.#hashes.length, (_hash, time) => inWindow(time * 1000, now, this.#keptMs));
    while (this.#size > this.#capacity) {
      this.#level++;
      this.#rebuild(this.#hashes.length, (hash) => this.#isSampled(hash));
    }
    this.changed.add(ROW);
  }

  #rebuild(length: number, keep: (hash: number, time: number) => boolean): void {
    const [hashes, times] = [this.#hashes, this.#times];
    this.#hashes = new Uint32Array(length);
    this.#times = new Uint32Array(length);
    this.#size = 0;
    for (const [index, hash] of hashes.entries()) {
      const time = times[index] ?? 0;
      if (time === 0 || !keep(hash, time)) continue;
      const place = this.#place(hash);
      this.#hashes[place] = hash;
      this.#times[place] = time;
      this.#size++;
    }
  }

  keys(): string[] {
    return this.value(ROW) === undefined ? [] : [ROW];
  }

  value(key: string): Json | undefined {
    if (key !== ROW || (this.#size === 0 && this.#level === 0)) return undefined;
    // Sorted, because the table's own order depends on the order of loading.
    const held = this.#hashes.filter((_, place) => (this.#times[place] ?? 0) > 0).toSorted();
    const row = [this.#level];
    for (const hash of held) row.push(hash, this.#times[this.#place(hash)] ?? 0);
    return row;
  }

  load(key: string, value: unknown): void {
    if (key !== ROW) return;
    const [level, ...numbers] = rowSchema.parse(value);
    this.#level = level;
    // Allocate the final length at once: doubling would place every thing again each time.
    this.#rebuild(tableOf(numbers.length / 2), () => true);
    for (let index = 0; index + 1 < numbers.length; index += 2)
      this.#put(numbers[index] ?? 0, numbers[index + 1] ?? 0);
  }
}

/** Returns a table length that this many things fill at most half. */
const tableOf = (things: number): number => Math.max(TABLE_MIN, 2 ** Math.ceil(Math.log2(things * 2)));

/** Takes 32 bits of a token, which is already a keyed hash (FNV-1a). */
export function hashOf(token: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < token.length; index++)
    hash = Math.imul(hash ^ token.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
