import * as z from "zod";
import type { Reservation } from "./reservations.ts";
import type { Json, Part } from "./part.ts";

/** All of it is one row: there are as many entries as tools that read the catalog. */
const ROW = "";
/** Weight of the newest answer in the running average. */
const NEWEST = 1 / 8;
/** New products of a call while little is known: a browsing caller finds many at first and few later. */
const PRODUCTS_UNKNOWN = 1;
/** Milliseconds that a call takes if none was settled lately, and the bounds of the wait that a caller is told. */
const CALL_MS = 250;
const WAIT_MS = { least: 100, most: 5_000 };

const rowSchema = z.record(z.string(), z.tuple([z.number(), z.number(), z.number(), z.number()]));

/** Size of one answer: products not seen in the last day, records, bytes, milliseconds in flight. */
export interface Answer {
  products: number;
  records: number;
  bytes: number;
  ms: number;
}

/** Running averages of recent catalog reads, by tool. */
export class Usual implements Part {
  readonly prefix = "u:";
  readonly changed = new Set<string>();
  readonly #tools = new Map<string, Answer>();

  note(tool: string, answer: Answer): void {
    const before = this.#tools.get(tool) ?? { ...answer, products: PRODUCTS_UNKNOWN };
    const mean = (of: keyof Answer) => round(before[of] + (answer[of] - before[of]) * NEWEST);
    this.#tools.set(tool, {
      products: mean("products"),
      records: mean("records"),
      bytes: mean("bytes"),
      ms: mean("ms"),
    });
    this.changed.add(ROW);
  }

  /** Estimates what a call with a lost settlement counts: no more than it could have answered. */
  ofLost({ tool, cost, unnamed }: Reservation, named: number): Omit<Answer, "ms"> {
    const { products, records, bytes } = this.#tools.get(tool) ?? {
      products: PRODUCTS_UNKNOWN,
      records: 1,
      bytes: cost.bytes / Math.max(1, cost.records),
    };
    return {
      products: Math.min(unnamed.objects + named, Math.ceil(products)),
      records: Math.min(cost.records, Math.ceil(records)),
      bytes: Math.min(cost.bytes, Math.ceil(bytes)),
    };
  }

  /** Returns the milliseconds after which a call of this tool that is now in flight has probably been settled. */
  waitMs(tool: string): number {
    const ms = Math.ceil(this.#tools.get(tool)?.ms ?? CALL_MS);
    return Math.min(WAIT_MS.most, Math.max(WAIT_MS.least, ms));
  }

  keys(): Iterable<string> {
    return this.#tools.size > 0 ? [ROW] : [];
  }

  value(key: string): Json | undefined {
    if (key !== ROW || this.#tools.size === 0) return undefined;
    return Object.fromEntries(
      [...this.#tools].map(([tool, { products, records, bytes, ms }]) => [
        tool,
        [products, records, bytes, ms],
      ]),
    );
  }

  load(key: string, value: unknown): void {
    if (key !== ROW) return;
    for (const [tool, [products, records, bytes, ms]] of Object.entries(rowSchema.parse(value)))
      this.#tools.set(tool, { products, records, bytes, ms });
  }
}

/** Two decimals are precise enough and keep the row short. */
const round = (value: number): number => Math.round(value * 100) / 100;
