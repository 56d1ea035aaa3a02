import { readFile, readdir } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { applyImport, beginImport, stageRows } from "../../src/catalog/import/statements.ts";
import type { ProductRecord } from "../../src/catalog/import/record.ts";
import type { Statement } from "../../src/database/statement.ts";

/** A catalog in this process's memory, by the product's own migrations and statements: fast enough to try many variants. */
export interface MemoryCatalog {
  database: DatabaseSync;
  run: (statements: Statement[]) => Promise<unknown[][]>;
}

const CHUNK = 1_000;

export async function memoryCatalog(products: readonly ProductRecord[]): Promise<MemoryCatalog> {
  const database = new DatabaseSync(":memory:");
  const folder = new URL("../../migrations/", import.meta.url);
  for (const file of (await readdir(folder)).toSorted())
    database.exec(await readFile(new URL(file, folder), "utf8"));
  const run = async (statements: Statement[]) =>
    statements.map(({ sql, values }): unknown[] => database.prepare(sql).all(...values));
  await run(beginImport("memory"));
  for (let at = 0; at < products.length; at += CHUNK) {
    await run(stageRows("memory", products.slice(at, at + CHUNK), at));
  }
  await run(applyImport("memory", { removeMissing: false }));
  return { database, run };
}
