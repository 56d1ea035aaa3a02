import * as z from "zod";
import type { Hit } from "../decision.ts";
import type { Json, Part } from "./part.ts";

const taintSchema = z.object({ at: z.number(), attempt: z.int() });
const blockSchema = z.object({
  at: z.number(),
  until: z.number(),
  rule: z.string(),
  version: z.int(),
  observed: z.number(),
  threshold: z.number(),
  window: z.number(),
  events: z.array(z.int()),
});
const progressSchema = z.array(z.number());

type Block = Pick<Hit, "rule" | "version" | "observed" | "threshold" | "window" | "events"> & {
  at: number;
  until: number;
};

/**
 * Marks of the caller: the last tainted answer, a standing block, and progress of sequences that are not about one
 * person.
 */
export class Marks implements Part {
  readonly prefix = "m:";
  readonly changed = new Set<string>();
  #taint: z.output<typeof taintSchema> | undefined;
  #block: Block | undefined;
  readonly progress = new Map<string, number[]>();

  get taint() {
    return this.#taint;
  }
  setTaint(at: number, attempt: number): void {
    this.#taint = { at, attempt };
    this.changed.add("taint");
  }

  get block() {
    return this.#block;
  }
  setBlock(block: Block | undefined): void {
    this.#block = block;
    this.changed.add("block");
  }

  setProgress(rule: string, starts: number[]): void {
    this.progress.set(rule, starts);
    this.changed.add(`progress/${rule}`);
  }

  *keys(): Iterable<string> {
    if (this.#taint !== undefined) yield "taint";
    if (this.#block !== undefined) yield "block";
    for (const rule of this.progress.keys()) yield `progress/${rule}`;
  }

  value(key: string): Json | undefined {
    if (key === "taint") return this.#taint;
    if (key === "block") return this.#block;
    return this.progress.get(key.replace("progress/", ""))?.slice();
  }

  load(key: string, value: unknown): void {
    if (key === "taint") this.#taint = taintSchema.parse(value);
    else if (key === "block") this.#block = blockSchema.parse(value);
    else this.progress.set(key.replace("progress/", ""), progressSchema.parse(value));
  }
}
