import * as z from "zod";
import type { FlowCall } from "../event.ts";
import { CALL_KINDS, DATA_CLASSES } from "../labels.ts";
import type { Json, Part } from "./part.ts";

/** Calls in flight at most; with one more, the oldest is taken to have answered all that it could. */
export const IN_FLIGHT_MAX = 24;
/** No call runs that long: its settling got lost. */
export const LOST_MS = 120_000;

const rowSchema = z.object({
  at: z.number(),
  tool: z.string(),
  roles: z.array(z.string()),
  classes: z.array(z.enum(DATA_CLASSES)),
  kinds: z.array(z.enum(CALL_KINDS)),
  subjects: z.array(z.string()),
  cost: z.object({ records: z.number(), bytes: z.number() }),
  unnamed: z.object({ subject: z.boolean(), objects: z.number() }),
});

/** What remains of a call while it runs: its named objects were counted when it was admitted. */
export type Reservation = Pick<
  FlowCall,
  "at" | "tool" | "roles" | "classes" | "kinds" | "subjects" | "cost" | "unnamed"
>;

export class Reservations implements Part {
  readonly prefix = "f:";
  readonly changed = new Set<string>();
  readonly held = new Map<number, Reservation>();

  reserve({ attempt, at, tool, roles, classes, kinds, subjects, cost, unnamed }: FlowCall): void {
    this.held.set(attempt, { at, tool, roles, classes, kinds, subjects, cost, unnamed });
    this.changed.add(String(attempt));
  }

  release(attempt: number): void {
    if (this.held.delete(attempt)) this.changed.add(String(attempt));
  }

  /** Those that will not be settled any more. */
  late(now: number): [attempt: number, Reservation][] {
    return this.held.size === 0 ? [] : this.#oldestFirst().filter(([, { at }]) => now - at >= LOST_MS);
  }

  /** Those for which there is no room. */
  over(): [attempt: number, Reservation][] {
    const over = this.held.size - IN_FLIGHT_MAX;
    return over > 0 ? this.#oldestFirst().slice(0, over) : [];
  }

  #oldestFirst = (): [attempt: number, Reservation][] => [...this.held].toSorted(([a], [b]) => a - b);

  *keys(): Iterable<string> {
    for (const attempt of this.held.keys()) yield String(attempt);
  }
  value(key: string): Json | undefined {
    const held = this.held.get(Number(key));
    return held && { ...held };
  }
  load(key: string, value: unknown): void {
    this.held.set(Number(key), rowSchema.parse(value));
  }
}
