import * as z from "zod";
import type { Token } from "../event.ts";
import { DAY } from "../window.ts";
import { hashOf } from "./distinct.ts";
import type { Json, Part } from "./part.ts";

/**
 * A Bloom filter of 16,384 bits with four bits for each token. After 800 tokens, which is a busy agent's day, one unseen token
 * in a thousand counts as seen; nothing seen is ever missed.
 */
const BYTES = 2_048;
const HASHES = 4;
const ROW = "";
const rowSchema = z.object({ since: z.number(), newer: z.base64(), older: z.base64() });

/** Details of people that answers have shown, for one to two days. */
export class Shown implements Part {
  readonly prefix = "w:";
  readonly changed = new Set<string>();
  #since = 0;
  #newer: Uint8Array | undefined;
  #older: Uint8Array | undefined;

  has(token: Token): boolean {
    const bits = bitsOf(token);
    const isIn = (filter: Uint8Array | undefined) =>
      filter !== undefined && bits.every((bit) => ((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0);
    return isIn(this.#newer) || isIn(this.#older);
  }

  see(tokens: readonly Token[], now: number): void {
    if (tokens.length === 0) return;
    if (this.#newer === undefined || now - this.#since >= DAY) {
      this.#older = now - this.#since < 2 * DAY ? this.#newer : undefined;
      this.#newer = new Uint8Array(BYTES);
      this.#since = now;
    }
    for (const bit of tokens.flatMap(bitsOf))
      this.#newer[bit >> 3] = (this.#newer[bit >> 3] ?? 0) | (1 << (bit & 7));
    this.changed.add(ROW);
  }

  keys(): Iterable<string> {
    return this.#newer === undefined ? [] : [ROW];
  }

  value(key: string): Json | undefined {
    if (key !== ROW || this.#newer === undefined) return undefined;
    return { since: this.#since, newer: encode(this.#newer), older: encode(this.#older) };
  }

  load(key: string, value: unknown): void {
    if (key !== ROW) return;
    const { since, newer, older } = rowSchema.parse(value);
    this.#since = since;
    this.#newer = decode(newer) ?? new Uint8Array(BYTES);
    this.#older = decode(older);
  }
}

const bitsOf = (token: Token): number[] =>
  Array.from({ length: HASHES }, (_, index) => hashOf(`${index}${token}`) % (BYTES * 8));

const encode = (filter: Uint8Array | undefined): string =>
  filter === undefined ? "" : Buffer.from(filter).toString("base64");

function decode(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === BYTES ? new Uint8Array(bytes) : undefined;
}
