import { applyImport, between } from "../../src/catalog/import/apply.ts";
import {
  compareMissing,
  compareRows,
  rangeOfProducts,
  rangeOfRows,
} from "../../src/catalog/import/compare.ts";
import { beginImport, dropImport } from "../../src/catalog/import/stage.ts";
import type { Statement } from "../../src/database/statement.ts";
import { DEPLOYED, migrateRemote, openSqlFile, queryRemote } from "../remote-sql.ts";
import {
  type Range,
  addMissing,
  addRows,
  noComparison,
  partsOfRange,
} from "../../src/catalog/import/comparison.ts";
import type { Target } from "../../src/catalog/import/target.ts";

/** Most bytes of one statement's values: D1 accepts statements of up to 100 KB. */
const STATEMENT_MAX = 90_000;
/** Rows that one statement reads or writes. D1 ends a statement after 30 seconds. */
const PART_ROWS = 20_000;

/**
 * The deployed database, through wrangler: one file stores the rows, queries compare them, and a second file applies them as one
 * transaction.
 */
export async function remoteTarget(database: readonly string[] = DEPLOYED): Promise<Target> {
  const staging = await openSqlFile(database);
  let isStaged = false;
  /** The parts of the staged rows and of the catalog's products. */
  let ranges: Record<"rows" | "products", Range[]> = { rows: [], products: [] };
  const send = async (statements: readonly Statement[]) => {
    const file = await openSqlFile(database);
    await file.write(statements);
    await file.send();
  };
  return {
    statementMax: STATEMENT_MAX,
    async begin(importId) {
      await staging.write(beginImport(importId).slice(0, -1));
      return 0;
    },
    stage: (statements) => staging.write(statements),
    async compare(importId) {
      await migrateRemote(database);
      await staging.send();
      isStaged = true;
      const [staged, present] = await queryRemote([rangeOfRows(importId), rangeOfProducts], database);
      const rows = partsOfRange(staged?.[0], PART_ROWS);
      const products = partsOfRange(present?.[0], PART_ROWS);
      ranges = { rows, products };
      const answers = await queryRemote(
        [
          ...rows.map(({ first, last }) => compareRows(importId, between("r", first, last))),
          ...products.map(({ first, last }) => compareMissing(importId, between("p", first, last))),
        ],
        database,
      );
      const total = noComparison();
      for (const [answer] of answers.slice(0, rows.length)) addRows(total, answer);
      for (const [answer] of answers.slice(rows.length)) addMissing(total, answer);
      return total;
    },
    async query(statement) {
      const [rows = []] = await queryRemote([statement], database);
      return rows;
    },
    async apply(importId, { removeMissing }, record) {
      const parts = {
        rows: ranges.rows.map(({ first, last }) => between("r", first, last)),
        products: ranges.products.map(({ first, last }) => between("p", first, last)),
      };
      await send([...applyImport(importId, { removeMissing }, parts), ...record]);
    },
    async drop(importId, record = []) {
      if (isStaged) await send([...dropImport(importId), ...record]);
      else await staging.remove();
    },
  };
}

/** A file with the SQL of the whole import, which is not sent. It can't know what the catalog holds. */
export async function fileTarget(): Promise<Target & { path: string }> {
  const file = await openSqlFile();
  return {
    path: file.path,
    statementMax: STATEMENT_MAX,
    async begin(importId) {
      await file.write(beginImport(importId).slice(0, -1));
      return 0;
    },
    stage: (statements) => file.write(statements),
    compare: async () => undefined,
    query: async () => undefined,
    async apply(importId, options, record) {
      await file.write([...applyImport(importId, options), ...record]);
      await file.close();
    },
    async drop(importId) {
      await file.write(dropImport(importId));
      await file.close();
    },
  };
}
