import * as z from "zod";
import type { Token } from "../event.ts";
import { inWindow } from "../window.ts";
import type { Json, Part } from "./part.ts";

/** Neighbourhoods held for a rule. A caller who spreads wider than this is not walking along ids. */
const HELD_MAX = 16;
const IDS_MAX = 16;
const rowSchema = z.object({ seen: z.number(), ids: z.array(z.int()) });

interface Run {
  seen: number;
  ids: number[];
}

/** Ids that were named in each run of 16, by rule, as short hashes. */
export class Neighbours implements Part {
  readonly prefix = "n:";
  readonly changed = new Set<string>();
  readonly #rules = new Map<string, Map<Token, Run>>();

  /** Returns whether another id of the run was named in the window and this one was not. */
  isBeside(rule: string, run: Token, id: number, now: number, windowMs: number): boolean {
    const held = this.#rules.get(rule)?.get(run);
    return held !== undefined && inWindow(held.seen, now, windowMs) && !held.ids.includes(id);
  }

  see(rule: string, run: Token, id: number, now: number, windowMs: number): void {
    const runs = this.#runsOf(rule);
    const held = runs.get(run);
    if (held !== undefined && inWindow(held.seen, now, windowMs)) {
      held.seen = Math.max(held.seen, now);
      if (!held.ids.includes(id)) held.ids = [...held.ids, id].slice(-IDS_MAX);
    } else {
      runs.set(run, { seen: now, ids: [id] });
    }
    this.changed.add(`${rule}/${run}`);
    if (runs.size > HELD_MAX) this.#forgetOne(rule, runs);
  }

  #runsOf(rule: string): Map<Token, Run> {
    const known = this.#rules.get(rule);
    if (known !== undefined) return known;
    const runs = new Map<Token, Run>();
    this.#rules.set(rule, runs);
    return runs;
  }

  /** Ties are broken by key, because the order of the map depends on the order of loading. */
  #forgetOne(rule: string, runs: Map<Token, Run>): void {
    let [oldest, oldestSeen] = ["", Infinity];
    for (const [run, { seen }] of runs) {
      if (seen < oldestSeen || (seen === oldestSeen && run < oldest)) [oldest, oldestSeen] = [run, seen];
    }
    runs.delete(oldest);
    this.changed.add(`${rule}/${oldest}`);
  }

  *keys(): Iterable<string> {
    for (const [rule, runs] of this.#rules) for (const run of runs.keys()) yield `${rule}/${run}`;
  }

  value(key: string): Json | undefined {
    const [rule, run] = splitKey(key);
    const held = this.#rules.get(rule)?.get(run);
    return held && { seen: held.seen, ids: [...held.ids] };
  }

  load(key: string, value: unknown): void {
    const [rule, run] = splitKey(key);
    this.#runsOf(rule).set(run, rowSchema.parse(value));
  }
}

/** Neither a rule's key nor a token contains a slash. */
const splitKey = (key: string): [rule: string, run: string] => {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), key.slice(slash + 1)];
};
