import * as z from "zod";
import { type Chosen, between } from "./apply.ts";
import { rangeOfProducts, rangeOfRows } from "./compare.ts";
import { endTurn, keepTurn, takeTurn } from "./turn.ts";
import type { Statement } from "../../database/statement.ts";
import type { Database } from "./target.ts";
import { type Range, partsOfRange } from "./comparison.ts";

/** Rows that one part of an import reads or writes: callers wait for it, about a fifth of a second. */
const PART_ROWS = 1_000;
/** Rows that a part only reads, which takes less time. */
export const READ_ROWS = 4_000;
const WAIT_MS = 500;

const runRow = z.object({ run: z.string() });
const leftRow = z.object({ rows: z.int() });

/** The parts of the staged rows (`r`) and of the products (`p`). */
export type Ranges = Readonly<Record<"r" | "p", readonly Range[]>>;

/** Runs parts of an import on a database, while it has the turn to apply its rows. */
export interface Parts {
  /** Waits until no other import applies its rows. Calls `onWait` once if there is one. */
  takeTurn(onWait: () => void): Promise<void>;
  endTurn(): Promise<void>;
  /** Runs statements as one transaction, which fails if another import has taken the turn. Returns the rows of each. */
  run(statements: readonly Statement[]): Promise<unknown[][]>;
  /** Divides the rows and the products into parts of so many. */
  ranges(importId: string, size?: number): Promise<Ranges>;
  /** Runs a transaction for each part of a table. Yields the first row of its last statement. */
  each(
    table: "r" | "p",
    ranges: Ranges,
    statements: (part: Chosen, range: Range) => Statement[],
  ): AsyncGenerator;
}

/** `run` names this run of the import. */
export function partsOf({ batch }: Database, run: string): Parts {
  const keep = keepTurn(run);
  const runKept = async (statements: readonly Statement[]) =>
    (await batch([...keep, ...statements])).slice(keep.length);
  return {
    async takeTurn(onWait) {
      for (let isFirst = true; ; isFirst = false) {
        const rows = await batch(takeTurn(run));
        if (runRow.parse(rows.at(-1)?.[0]).run === run) return;
        if (isFirst) onWait();
        await new Promise((resolve) => void setTimeout(resolve, WAIT_MS));
      }
    },
    async endTurn() {
      await batch([endTurn(run)]);
    },
    run: runKept,
    async ranges(importId, size = PART_ROWS) {
      const [[rows] = [], [products] = []] = await runKept([rangeOfRows(importId), rangeOfProducts]);
      return { r: partsOfRange(rows, size), p: partsOfRange(products, size) };
    },
    async *each(table, ranges, statements) {
      for (const range of ranges[table]) {
        const rows = await runKept(statements(between(table, range.first, range.last), range));
        yield rows.at(-1)?.[0];
      }
    },
  };
}

/** Repeats statements until the last one says that no `rows` are left. */
export async function untilEmpty(
  run: (statements: Statement[]) => Promise<unknown[][]>,
  statements: Statement[],
): Promise<void> {
  for (;;) {
    const rows = await run(statements);
    if (leftRow.parse(rows.at(-1)?.[0]).rows === 0) return;
  }
}
