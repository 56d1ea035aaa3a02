import * as z from "zod";
import { DETAIL_KINDS } from "../details.ts";
import type { FlowCall } from "../event.ts";
import { CALL_KINDS, DATA_CLASSES } from "../labels.ts";
import { writeSizeSchema } from "../size.ts";
import type { Json, Part } from "./part.ts";

/**
 * Calls in flight at most, catalog reads apart. One more makes the oldest count as lost: it is taken to have answered
 * all that it could.
 */
export const IN_FLIGHT_MAX = 24;
/** No call runs this long, so its settlement was lost. */
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
  /** Only of writes; absent in rows of earlier releases. */
  digest: z.string().optional(),
  size: writeSizeSchema.optional(),
  details: z.array(z.object({ by: z.enum(DETAIL_KINDS), tokens: z.array(z.string()) })).exactOptional(),
  explains: z.boolean().exactOptional(),
});

/** The part of a call that is kept while it runs. */
export type Reservation = Pick<
  FlowCall,
  | "at"
  | "tool"
  | "roles"
  | "classes"
  | "kinds"
  | "subjects"
  | "cost"
  | "unnamed"
  | "digest"
  | "size"
  | "details"
  | "explains"
>;

/** Calls in flight that are about people or change something. Rows from before `PublicReads` hold catalog reads too. */
export class Reservations implements Part {
  readonly prefix = "f:";
  readonly changed = new Set<string>();
  readonly held = new Map<number, Reservation>();

  reserve(call: FlowCall): void {
    const { attempt, at, tool, roles, classes, kinds, subjects, cost, unnamed } = call;
    const { digest, size, details, explains } = call;
    this.held.set(attempt, {
      at,
      tool,
      roles,
      classes,
      kinds,
      subjects,
      cost,
      unnamed,
      // Equal writes in flight are retries of one another, which count once.
      ...(kinds.includes("write") && { digest, size }),
      ...(details !== undefined && { details }),
      ...(explains !== undefined && { explains }),
    });
    this.changed.add(String(attempt));
  }

  release(attempt: number): void {
    if (this.held.delete(attempt)) this.changed.add(String(attempt));
  }

  *keys(): Iterable<string> {
    for (const attempt of this.held.keys()) yield String(attempt);
  }
  value(key: string): Json | undefined {
    const held = this.held.get(Number(key));
    if (held === undefined) return undefined;
    const { digest, size, ...rest } = held;
    return { ...rest, ...(digest !== undefined && { digest }), ...(size !== undefined && { size }) };
  }
  load(key: string, value: unknown): void {
    this.held.set(Number(key), rowSchema.parse(value));
  }
}

/**
 * Returns whether two writes are the same one, sent again: this server's writes change nothing when they are repeated with
 * equal arguments.
 */
export const isRetryOf = (
  { tool, digest }: Pick<Reservation, "tool" | "digest">,
  other: Pick<Reservation, "tool" | "digest">,
): boolean => digest !== undefined && digest === other.digest && tool === other.tool;

type Held<Each extends Reservation> = ReadonlyMap<number, Each>;

/** Returns calls whose settlement was lost, oldest first. */
export const lateOf = <Each extends Reservation>(held: Held<Each>, now: number): [number, Each][] =>
  held.size === 0 ? [] : oldestFirst(held).filter(([, { at }]) => now - at >= LOST_MS);

/** Returns calls for which there is no room, oldest first. */
export function overflowOf<Each extends Reservation>(held: Held<Each>, max: number): [number, Each][] {
  const over = held.size - max;
  return over > 0 ? oldestFirst(held).slice(0, over) : [];
}

const oldestFirst = <Each extends Reservation>(held: Held<Each>): [number, Each][] =>
  [...held].toSorted(([a], [b]) => a - b);
