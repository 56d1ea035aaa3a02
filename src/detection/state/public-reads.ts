import * as z from "zod";
import type { FlowCall } from "../event.ts";
import { hashOf } from "./distinct.ts";
import type { Json, Part } from "./part.ts";
import type { Reservation } from "./reservations.ts";

/**
 * Public reads in flight at most: as many as the shipped limit admits in a minute. One more makes the oldest count as
 * lost.
 */
export const PUBLIC_IN_FLIGHT_MAX = 100;

/** All of them are one row, because most come and go without being stored. */
const ROW = "";

/** A catalog read while it runs. */
export interface PublicRead extends Reservation {
  /** Equal for calls of one tool with equal arguments, which answer the same products. */
  asked: number;
  /** Products that it names and that were not answered in the last day. */
  named: number;
}

/** Calls that differ only in time: tool, roles, records, bytes, unnamed products. */
const groupSchema = z.tuple([
  z.string(),
  z.array(z.string()),
  z.number(),
  z.number(),
  z.number(),
  /** The first attempt and its time. The calls' own numbers and times are offsets from these. */
  z.number(),
  z.number(),
  z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
]);
const rowSchema = z.array(groupSchema);

export const askedBy = ({ tool, digest, attempt }: Pick<FlowCall, "tool" | "digest" | "attempt">): number =>
  hashOf(digest === undefined ? `attempt ${attempt}` : `${tool} ${digest}`);

/**
 * Catalog reads in flight. They are kept apart from calls about people because there are more of them and a lost one
 * costs less.
 */
export class PublicReads implements Part {
  readonly prefix = "pr:";
  readonly changed = new Set<string>();
  readonly held = new Map<number, PublicRead>();

  reserve(call: FlowCall, named: number): void {
    const { attempt, at, tool, roles, cost, unnamed } = call;
    this.#hold(attempt, { at, tool, roles, cost, objects: unnamed.objects, asked: askedBy(call), named });
    this.changed.add(ROW);
  }

  #hold(
    attempt: number,
    {
      objects,
      ...read
    }: Pick<PublicRead, "at" | "tool" | "roles" | "cost" | "asked" | "named"> & { objects: number },
  ): void {
    const unnamed = { subject: false, objects };
    this.held.set(attempt, { ...read, ...PUBLIC, unnamed });
  }

  release(attempt: number): void {
    if (this.held.delete(attempt)) this.changed.add(ROW);
  }

  keys(): Iterable<string> {
    return this.held.size > 0 ? [ROW] : [];
  }

  value(key: string): Json | undefined {
    if (key !== ROW || this.held.size === 0) return undefined;
    // Sorted by attempt, because the order of the map depends on the order of loading.
    const inOrder = [...this.held].toSorted(([a], [b]) => a - b);
    const alike = Map.groupBy(inOrder, ([, { tool, roles, cost, unnamed }]) =>
      JSON.stringify([tool, roles, cost, unnamed]),
    );
    return [...alike.values()].flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const [base, { at: since, tool, roles, cost, unnamed }] = first;
      const calls = group.map(([attempt, { at, asked, named }]) => [
        attempt - base,
        at - since,
        asked,
        named,
      ]);
      return [[tool, [...roles], cost.records, cost.bytes, unnamed.objects, base, since, calls]];
    });
  }

  load(key: string, value: unknown): void {
    if (key !== ROW) return;
    for (const [tool, roles, records, bytes, objects, base, since, calls] of rowSchema.parse(value)) {
      for (const [attempt, at, asked, named] of calls)
        this.#hold(base + attempt, {
          at: since + at,
          tool,
          roles,
          cost: { records, bytes },
          objects,
          asked,
          named,
        });
    }
  }
}

const PUBLIC = { classes: ["catalog"], kinds: ["source"], subjects: [] } as const;
