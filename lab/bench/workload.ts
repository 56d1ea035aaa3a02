import { importRecords } from "../../cli/import/import-records.ts";
import { startServer } from "../../cli/local/server.ts";
import { chance } from "../../cli/sample/chance.ts";
import { sampleDesk } from "../../cli/sample/demo-data.ts";
import type { ProductRecord } from "../../src/catalog/import/record.ts";
import { fillSupport } from "../../src/support/import/statements.ts";
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

/** Access keys of the benchmark's callers. */
export interface Keys {
  /** Callers who search again and again. */
  callers: string[];
  /** Members of the support desk. */
  support: string[];
  /** Callers who never called. */
  fresh: string[];
}

/** Callers who never called: enough for every first call between two starts. */
const FRESH = 1_500;

/**
 * Fills a state folder for all variants: the catalog, the naive FTS5 table over it, the support desk, callers.
 * Returns the callers' keys.
 */
export async function seed(
  stateDir: string,
  products: readonly ProductRecord[],
  callers: number,
): Promise<Keys> {
  const server = await startServer({ stateDir });
  try {
    await importRecords(server, products);
    await server.batch(NAIVE_TABLE.map((sql) => ({ sql, values: [] })));
    await server.batch(fillSupport(sampleDesk()));
    const ids = (kind: string, count: number) => callerIds(count).map((id) => `${kind}-${id}`);
    return {
      callers: await addCallers(server, callerIds(callers)),
      support: await addCallers(server, ids("support", callers), "support"),
      fresh: await addCallers(server, ids("fresh", FRESH)),
    };
  } finally {
    await server.close();
  }
}
