import { importRecords } from "../../cli/import/import-records.ts";
import { startServer } from "../../cli/local/server.ts";
import { chance } from "../../cli/sample/chance.ts";
import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { addCallers, callerIds } from "../support/callers.ts";
import { NAIVE_TABLE } from "../support/naive-fts.ts";

const WORDS_MIN = 2;
const WORDS_MAX = 3;

/**
 * Generates queries that shoppers might type, from a seed: two or three words from one product's name, in
 * their order. The stream never ends and no query repeats.
 */
export function* queryStream(names: readonly string[]): Generator<string, never> {
  const { between } = chance(1);
  const seen = new Set<string>();
  for (;;) {
    const name = names[between(0, names.length - 1)] ?? "";
    const words = name.toLowerCase().match(/(?<![\p{L}\p{N}])\p{L}{3,20}(?![\p{L}\p{N}])/gu) ?? [];
    const size = between(WORDS_MIN, WORDS_MAX);
    while (words.length > size) words.splice(between(0, words.length - 1), 1);
    const query = words.join(" ");
    if (words.length < WORDS_MIN || seen.has(query)) continue;
    seen.add(query);
    yield query;
  }
}

/**
 * Fills a state folder for all variants: the catalog, the naive FTS5 table over it, callers. Returns the
 * callers' keys.
 */
export async function seed(
  stateDir: string,
  products: readonly ProductRecord[],
  callers: number,
): Promise<string[]> {
  const server = await startServer({ stateDir });
  try {
    await importRecords(server, products);
    await server.batch(NAIVE_TABLE.map((sql) => ({ sql, values: [] })));
    return await addCallers(server, callerIds(callers));
  } finally {
    await server.close();
  }
}
