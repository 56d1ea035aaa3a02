import * as z from "zod";
import { DAY, inWindow } from "../window.ts";
import type { Json, Part } from "./part.ts";

const STEPS_MAX = 32;
const KEY = "all";
const rowSchema = z.array(z.tuple([z.number(), z.int()]));

/**
 * How many people were pushed out of memory, and when they were last seen. Past 32 steps the two oldest become one
 * with the later time: a person may then count longer than a window says, never shorter.
 */
export class Evicted implements Part {
  readonly prefix = "evicted:";
  readonly changed = new Set<string>();
  #steps: [at: number, people: number][] = [];

  add(at: number, now: number): void {
    const steps = this.#steps.filter(([then]) => inWindow(then, now, DAY));
    steps.push([at, 1]);
    steps.sort(([a], [b]) => a - b);
    const [first, second, ...rest] = steps;
    this.#steps =
      steps.length > STEPS_MAX && first !== undefined && second !== undefined
        ? [[second[0], first[1] + second[1]], ...rest]
        : steps;
    this.changed.add(KEY);
  }

  count(now: number, windowMs: number): number {
    let people = 0;
    for (const [at, each] of this.#steps) if (inWindow(at, now, windowMs)) people += each;
    return people;
  }

  keys = () => (this.#steps.length > 0 ? [KEY] : []);
  value = (): Json | undefined => (this.#steps.length > 0 ? this.#steps.map((step) => [...step]) : undefined);
  load(_key: string, value: Json): void {
    this.#steps = rowSchema.parse(value);
  }
}
