import { randomUUID } from "node:crypto";
import * as z from "zod";
import {
  MERGED_PAGES,
  among,
  applyAtOnce,
  applyProducts,
  discontinueMissing,
  forgetStock,
  insertWords,
  mergeIndex,
} from "./apply.ts";
import { compareMissing, compareRows } from "./compare.ts";
import {
  copyProducts,
  copySmall,
  copyWords,
  countMigrations,
  createTables,
  deleteRows,
  dropTable,
  dropLeftTriggers,
  leftTables,
  moveStock,
  onNext,
  readProductColumns,
  readSchema,
  schemaRows,
  swapTables,
} from "./next-catalog.ts";
import { beginImport, dropImport, dropRows } from "./stage.ts";
import type { Statement } from "../../database/statement.ts";
import { addMissing, addRows, noComparison } from "./comparison.ts";
import { type Parts, READ_ROWS, partsOf, untilEmpty } from "./parts.ts";
import type { Database, Target } from "./target.ts";

/** An import that writes at most so many rows is applied at once, in a quarter of a second. A larger one builds a new catalog. */
const AT_ONCE_MAX = 2_000;
const MERGED_PAGES_EACH = 1_000;
const DELETED_ROWS_EACH = 5_000;

/** Rows that were written so far, by this connection. */
const countChanges: Statement = { sql: "SELECT total_changes() AS changes", values: [] };
const changesRow = z.object({ changes: z.int() });
const stagedRow = z.object({ lines_staged: z.int() });
const migrationsRow = z.object({ migrations: z.int() });

export interface TargetEvents {
  /** Another import applies its rows; this one waits for it. */
  onWait?: () => void;
  /** `done` of `all` parts are applied. */
  onPart?: (done: number, all: number) => void;
}

/** A database that takes an import in parts, between which callers are served. `run` names who imports, for one import at a time. */
export function targetInParts(
  database: Database,
  { onWait = () => {}, onPart = () => {} }: TargetEvents = {},
  run: string = randomUUID(),
): Target {
  const parts = partsOf(database, run);
  /** The rows and products that applying writes; undefined if there are too many to apply at once. */
  let changes: { rows: number[]; products: number[] } | undefined;
  return {
    // D1 accepts values of up to 2 MB. A statement is copied some six times on its way, and larger ones took 0.2 GB more memory.
    statementMax: 500_000,
    async begin(importId) {
      const rows = await database.batch(beginImport(importId));
      return stagedRow.parse(rows.at(-1)?.[0]).lines_staged;
    },
    async stage(statements) {
      if (statements.length > 0) await database.batch(statements);
    },
    async compare(importId, { removeMissing }) {
      await parts.takeTurn(onWait);
      const ranges = await parts.ranges(importId, READ_ROWS);
      const total = noComparison();
      const found = { rows: new Array<number>(), products: new Array<number>() };
      for await (const answer of parts.each("r", ranges, (part) => [compareRows(importId, part)])) {
        const rows = addRows(total, answer);
        if (found.rows.length <= AT_ONCE_MAX) found.rows.push(...rows);
      }
      for await (const answer of parts.each("p", ranges, (part) => [compareMissing(importId, part)])) {
        const products = addMissing(total, answer);
        if (removeMissing && found.products.length <= AT_ONCE_MAX) found.products.push(...products);
      }
      changes = found.rows.length + found.products.length <= AT_ONCE_MAX ? found : undefined;
      return total;
    },
    async query(statement) {
      const [rows = []] = await database.batch([statement]);
      return rows;
    },
    async apply(importId, { removeMissing }, record) {
      await sweep(parts);
      if (changes === undefined) await applyLarge(parts, importId, removeMissing, onPart);
      else await applySmall(parts, importId, removeMissing, changes);
      // The rows are applied. If this fails, the next import deletes the rest.
      await this.drop(importId).catch(() => {});
      await database.batch([...record]).catch(() => {});
    },
    async drop(importId, record = []) {
      // Needs no turn, because nothing else reads these rows.
      await untilEmpty((part) => database.batch(part), dropRows(importId, DELETED_ROWS_EACH));
      await database.batch([...dropImport(importId), ...record]);
      await parts.endTurn();
    },
    endTurn: () => parts.endTurn(),
  };
}

async function applySmall(
  parts: Parts,
  importId: string,
  removeMissing: boolean,
  { rows, products }: { rows: number[]; products: number[] },
): Promise<void> {
  const chosen = { rows: [among("r", rows)], products: [among("p", products)] };
  await parts.run(applyAtOnce(importId, { removeMissing }, chosen));
  // The rows are applied; a search only takes a little longer if this fails.
  if (rows.length + products.length > 0) await merge(parts, (statement) => statement).catch(() => {});
}

/** Builds a new catalog beside the present one, which callers read until the last moment. */
async function applyLarge(
  parts: Parts,
  importId: string,
  removeMissing: boolean,
  onPart: (done: number, all: number) => void,
): Promise<void> {
  const ranges = await parts.ranges(importId);
  const all = 2 * ranges.r.length + (removeMissing ? 3 : 2) * ranges.p.length;
  let done = 0;
  const each = async (table: "r" | "p", statements: Parameters<Parts["each"]>[2]) => {
    for await (const _ of parts.each(table, ranges, statements)) onPart(++done, all);
  };
  const [objects, counted = [], columns] = await parts.run([readSchema, countMigrations, readProductColumns]);
  const schema = schemaRows.parse(objects);
  await parts.run([forgetStock, ...createTables(schema), ...copySmall]);
  await each("p", (_, { first, last }) => copyProducts(columns, first, last));
  await each("r", (part) => [...applyProducts(importId, part).map(onNext), ...moveStock]);
  await each("p", (_, { first, last }) => copyWords(importId, first, last));
  await each("r", (part) => insertWords(importId, part).map(onNext));
  if (removeMissing) await each("p", (part) => discontinueMissing(importId, part).map(onNext));
  await merge(parts, onNext);
  await parts.run(swapTables(schema, migrationsRow.parse(counted[0]).migrations, importId));
  // Callers read the new catalog. If this fails, the next import deletes the rest.
  await sweep(parts).catch(() => {});
}

async function merge(parts: Parts, on: (statement: Statement) => Statement): Promise<void> {
  for (let pages = 0; pages < MERGED_PAGES; pages += MERGED_PAGES_EACH) {
    const step = on(mergeIndex(pages === 0 ? -MERGED_PAGES_EACH : MERGED_PAGES_EACH));
    const [[before] = [], , [after] = []] = await parts.run([countChanges, step, countChanges]);
    // FTS5 writes one row of its own even if nothing is left to merge.
    if (changesRow.parse(after).changes - changesRow.parse(before).changes < 2) return;
  }
}

/** Deletes the tables that a former import left. */
async function sweep(parts: Parts): Promise<void> {
  const [objects] = await parts.run([readSchema]);
  const schema = schemaRows.parse(objects);
  await parts.run(dropLeftTriggers(schema));
  for (const { table, isLarge } of leftTables(schema)) {
    if (isLarge) await untilEmpty((part) => parts.run(part), deleteRows(table, DELETED_ROWS_EACH));
    await parts.run([dropTable(table)]);
  }
}
