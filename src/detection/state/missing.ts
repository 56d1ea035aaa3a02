import * as z from "zod";
import type { Token } from "../event.ts";
import { hashOf } from "./distinct.ts";
import type { Json, Part } from "./part.ts";

/** Names remembered. An agent may ask for the same outdated SKUs again and again; each one counts once. */
const KEPT = 256;
const ROW = "";
const rowSchema = z.array(z.int().nonnegative());

/** Names that did not exist when they were last requested, as short hashes, oldest first. */
export class Missing implements Part {
  readonly prefix = "x:";
  readonly changed = new Set<string>();
  #hashes: number[] = [];

  /** Counts the names that are not remembered, each once. */
  countNew(names: readonly Token[]): number {
    let count = 0;
    for (const hash of new Set(names.map(hashOf))) if (!this.#hashes.includes(hash)) count++;
    return count;
  }

  see(names: readonly Token[]): void {
    if (names.length === 0) return;
    const hashes = new Set(names.map(hashOf));
    this.#hashes = [...this.#hashes.filter((each) => !hashes.has(each)), ...hashes].slice(-KEPT);
    this.changed.add(ROW);
  }

  keys(): Iterable<string> {
    return this.#hashes.length > 0 ? [ROW] : [];
  }

  value(key: string): Json | undefined {
    return key === ROW && this.#hashes.length > 0 ? [...this.#hashes] : undefined;
  }

  load(key: string, value: unknown): void {
    if (key === ROW) this.#hashes = rowSchema.parse(value);
  }
}
