import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { addUser, createKey } from "../../src/identity/administration.ts";
import { checkRows } from "../import/check-rows.ts";
import { importRecords } from "../import/import-records.ts";
import { openSource } from "../import/open-source.ts";
import { readJsonl } from "../import/read-jsonl.ts";
import { startServer } from "../local/server.ts";
import { generateProducts } from "../sample/generate.ts";

const GENERATED = 20_000;

/** Of a file, or made up. */
export async function readProducts(file: string | undefined): Promise<ProductRecord[]> {
  if (file === undefined) return [...generateProducts(GENERATED, 1)];
  const records: ProductRecord[] = [];
  for await (const row of checkRows(readJsonl((await openSource(file)).bytes), false)) {
    if ("record" in row) records.push(row.record);
  }
  return records;
}

/** Fills a state folder for all variants alike: the catalog, the naive FTS5 table over it, users with keys. Gives the keys. */
export async function seed(
  stateDir: string,
  products: readonly ProductRecord[],
  principals: number,
): Promise<string[]> {
  const server = await startServer({ stateDir });
  try {
    await importRecords(server, products);
    await server.batch([
      {
        sql: `CREATE VIRTUAL TABLE naive_search USING fts5 (
          name, model, brand, category, description, tokenize = 'porter unicode61')`,
        values: [],
      },
      {
        sql: `INSERT INTO naive_search (rowid, name, model, brand, category, description)
          SELECT p.id, p.name, p.model, p.brand, c.name, p.description
          FROM products p JOIN categories c ON c.id = p.category_id`,
        values: [],
      },
    ]);
    const now = Date.now();
    const users = Array.from({ length: principals }, (_, index) => {
      const id = `bench-${index}`;
      return {
        user: addUser({ id, kind: "service", name: id, roles: ["shopper"] }, now),
        key: createKey({ user: id, label: "bench" }, now),
      };
    });
    await server.batch(users.flatMap(({ user, key }) => [...user, key.statement]));
    return users.map(({ key }) => key.secret);
  } finally {
    await server.close();
  }
}
