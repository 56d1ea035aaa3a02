import * as z from "zod";
import type { Token } from "../event.ts";
import type { Json, Part } from "./part.ts";
import { inWindow } from "../window.ts";

/** Neighbourhoods held for a rule. Who spreads wider is not walking along ids. */
const HELD_MAX = 24;
const IDS_MAX = 16;
const rowSchema = z.object({ seen: z.number(), ids: z.array(z.int()) });

/** Which ids were named in which run of 16, by rule, as short hashes. */
export class Neighbours implements Part {
  readonly prefix = "n:";
  readonly changed = new Set<string>();
  readonly #held = new Map<string, { seen: number; ids: number[] }>();

  /** Whether another id of the run was named in the window, and this one was not. */
  isBeside(rule: string, run: Token, id: number, now: number, windowMs: number): boolean {
    const held = this.#held.get(`${rule}/${run}`);
    return (
      held !== undefined &&
      inWindow(held.seen, now, windowMs) &&
      held.ids.length > 0 &&
      !held.ids.includes(id)
    );
  }

  see(rule: string, run: Token, id: number, now: number, windowMs: number): void {
    const key = `${rule}/${run}`;
    const held = this.#held.get(key);
    const ids = held !== undefined && inWindow(held.seen, now, windowMs) ? held.ids : [];
    if (!ids.includes(id)) ids.push(id);
    this.#held.set(key, { seen: Math.max(held?.seen ?? 0, now), ids: ids.slice(-IDS_MAX) });
    this.changed.add(key);
    if (held === undefined) this.#forget(`${rule}/`);
  }

  #forget(prefix: string): void {
    const held = [...this.#held].filter(([key]) => key.startsWith(prefix));
    if (held.length <= HELD_MAX) return;
    const [oldest] = held.reduce((a, b) =>
      b[1].seen < a[1].seen || (b[1].seen === a[1].seen && b[0] < a[0]) ? b : a,
    );
    this.#held.delete(oldest);
    this.changed.add(oldest);
  }

  keys = () => this.#held.keys();
  value(key: string): Json | undefined {
    const held = this.#held.get(key);
    return held && { seen: held.seen, ids: [...held.ids] };
  }
  load(key: string, value: Json): void {
    this.#held.set(key, rowSchema.parse(value));
  }
}
