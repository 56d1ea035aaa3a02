import * as z from "zod";
import type { Json, Part } from "./part.ts";

/** Parts of a window. An event is counted until its whole part has left, so at most a twelfth too long, never too short. */
export const PARTS = 12;
const rowSchema = z.array(z.tuple([z.int(), z.number()]));

/** Sums over sliding windows, by key: `KEY/window` where there are several windows. */
export class Counters implements Part {
  readonly prefix = "c:";
  readonly changed = new Set<string>();
  readonly #sums = new Map<string, [part: number, sum: number][]>();

  add(key: string, windowMs: number, now: number, amount: number): void {
    if (amount === 0) return;
    const width = windowMs / PARTS;
    const part = Math.floor(now / width);
    const sums = (this.#sums.get(key) ?? []).filter(([each]) => (each + 1) * width > now - windowMs);
    const same = sums.find(([each]) => each === part);
    if (same === undefined) sums.push([part, amount]);
    else same[1] += amount;
    this.#sums.set(key, sums);
    this.changed.add(key);
  }

  total(key: string, windowMs: number, now: number): number {
    const width = windowMs / PARTS;
    let total = 0;
    for (const [part, sum] of this.#sums.get(key) ?? []) {
      if ((part + 1) * width > now - windowMs) total += sum;
    }
    return total;
  }

  keys = () => this.#sums.keys();
  value = (key: string): Json | undefined => this.#sums.get(key)?.map((each) => [...each]);
  load(key: string, value: Json): void {
    this.#sums.set(key, rowSchema.parse(value));
  }
}
