import * as z from "zod";
import { DAY, inWindow } from "../window.ts";
import type { Json, Part } from "./part.ts";

const STEPS_MAX = 32;
const KEY = "all";
const rowSchema = z.array(z.number());

/**
 * Counts people who were pushed out of memory, with the time each was last seen. Past 32 steps the two oldest merge
 * under the later time: a person may then count longer than a window, never shorter.
 */
export class Evicted implements Part {
  readonly prefix = "evicted:";
  readonly changed = new Set<string>();
  /** Time, people, time, people, … */
  #steps: number[] = [];

  add(at: number, now: number): void {
    const steps: [number, number][] = [[at, 1]];
    for (let index = 0; index < this.#steps.length; index += 2) {
      const [then = 0, people = 0] = this.#steps.slice(index, index + 2);
      if (inWindow(then, now, DAY)) steps.push([then, people]);
    }
    steps.sort(([a], [b]) => a - b);
    const [first, second, ...rest] = steps;
    const isFull = steps.length > STEPS_MAX && first !== undefined && second !== undefined;
    this.#steps = (isFull ? [[second[0], first[1] + second[1]], ...rest] : steps).flat();
    this.changed.add(KEY);
  }

  count(now: number, windowMs: number): number {
    let people = 0;
    for (let index = 0; index < this.#steps.length; index += 2) {
      if (inWindow(this.#steps[index] ?? 0, now, windowMs)) people += this.#steps[index + 1] ?? 0;
    }
    return people;
  }

  keys(): Iterable<string> {
    return this.#steps.length > 0 ? [KEY] : [];
  }

  value(): Json | undefined {
    return this.#steps.length > 0 ? [...this.#steps] : undefined;
  }

  load(_key: string, value: unknown): void {
    this.#steps = rowSchema.parse(value);
  }
}
