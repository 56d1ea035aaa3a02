import * as z from "zod";
import type { Json, Part } from "./part.ts";

/** Slices of a window. A slice is dropped as a whole, so an event counts up to a twelfth too long, never too short. */
export const SLICES = 12;
const rowSchema = z.array(z.tuple([z.string(), z.array(z.number())]));

/** A sum over a sliding window. */
export interface Counter {
  /** Key of the rule that it belongs to. All counters of a rule are one row. */
  rule: string;
  name: string;
  /** Milliseconds. */
  window: number;
}

export const counterOf = (rule: string, window: number, of = "all"): Counter => ({
  rule,
  name: `${of}/${window}`,
  window,
});

/** Sums over sliding windows. */
export class Counters implements Part {
  readonly prefix = "c:";
  readonly changed = new Set<string>();
  /** By rule, then counter name: slice, sum, slice, sum, … */
  readonly #rules = new Map<string, Map<string, number[]>>();

  add({ rule, name, window }: Counter, now: number, amount: number): void {
    if (amount === 0) return;
    const width = window / SLICES;
    const slice = Math.floor(now / width);
    this.changed.add(rule);
    const counters = this.#countersOf(rule);
    const sums = counters.get(name) ?? [];
    for (let index = 0; index < sums.length; index += 2) {
      if (sums[index] !== slice) continue;
      sums[index + 1] = (sums[index + 1] ?? 0) + amount;
      return;
    }
    const kept = [];
    for (let index = 0; index < sums.length; index += 2) {
      const each = sums[index] ?? 0;
      if ((each + 1) * width > now - window) kept.push(each, sums[index + 1] ?? 0);
    }
    kept.push(slice, amount);
    counters.set(name, kept);
  }

  total({ rule, name, window }: Counter, now: number): number {
    const sums = this.#rules.get(rule)?.get(name);
    if (sums === undefined) return 0;
    const width = window / SLICES;
    let total = 0;
    for (let index = 0; index < sums.length; index += 2) {
      if (((sums[index] ?? 0) + 1) * width > now - window) total += sums[index + 1] ?? 0;
    }
    return total;
  }

  #countersOf(rule: string): Map<string, number[]> {
    const known = this.#rules.get(rule);
    if (known !== undefined) return known;
    const counters = new Map<string, number[]>();
    this.#rules.set(rule, counters);
    return counters;
  }

  keys(): Iterable<string> {
    return this.#rules.keys();
  }

  value(rule: string): Json | undefined {
    const counters = this.#rules.get(rule);
    return counters && [...counters].map(([name, sums]) => [name, [...sums]]);
  }
  load(rule: string, value: unknown): void {
    this.#rules.set(rule, new Map(rowSchema.parse(value)));
  }
}
