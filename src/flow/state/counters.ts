import * as z from "zod";
import type { Json, Part } from "./part.ts";

/** Parts of a window. An event is counted until its whole part has left, so at most a twelfth too long, never too short. */
export const PARTS = 12;
const rowSchema = z.array(z.number());

/** A sum over a sliding window. */
export interface Counter {
  /** Of the row. */
  key: string;
  /** Milliseconds. */
  window: number;
}

export const counterOf = (rule: string, window: number, of = "all"): Counter => ({
  key: `${rule}/${of}/${window}`,
  window,
});

/** Sums over sliding windows. */
export class Counters implements Part {
  readonly prefix = "c:";
  readonly changed = new Set<string>();
  /** By key: part, sum, part, sum, … */
  readonly #sums = new Map<string, number[]>();

  add({ key, window }: Counter, now: number, amount: number): void {
    if (amount === 0) return;
    const width = window / PARTS;
    const part = Math.floor(now / width);
    const sums = this.#sums.get(key);
    this.changed.add(key);
    if (sums === undefined) {
      this.#sums.set(key, [part, amount]);
      return;
    }
    for (let index = 0; index < sums.length; index += 2) {
      if (sums[index] !== part) continue;
      sums[index + 1] = (sums[index + 1] ?? 0) + amount;
      return;
    }
    const kept = [];
    for (let index = 0; index < sums.length; index += 2) {
      const each = sums[index] ?? 0;
      if ((each + 1) * width > now - window) kept.push(each, sums[index + 1] ?? 0);
    }
    kept.push(part, amount);
    this.#sums.set(key, kept);
  }

  total({ key, window }: Counter, now: number): number {
    const sums = this.#sums.get(key);
    if (sums === undefined) return 0;
    const width = window / PARTS;
    let total = 0;
    for (let index = 0; index < sums.length; index += 2) {
      if (((sums[index] ?? 0) + 1) * width > now - window) total += sums[index + 1] ?? 0;
    }
    return total;
  }

  keys = () => this.#sums.keys();
  value = (key: string): Json | undefined => this.#sums.get(key)?.slice();
  load(key: string, value: Json): void {
    this.#sums.set(key, rowSchema.parse(value));
  }
}
