// npm run eval:search: how good search is, by human judgments, over the whole path: import, D1, MCP.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import * as z from "zod";
import { positiveNumber } from "./arguments.ts";
import { commandOf } from "./command.ts";
import { checkJudgedSkus, readJudgments } from "./eval/judgments.ts";
import { type Grades, bootstrap95, mean, median, ndcg } from "./eval/ndcg.ts";
import { readProducts } from "./eval/products.ts";
import { importRecords } from "./import/import-records.ts";
import { startServer } from "./local/server.ts";

const options = commandOf("npm run -s eval:search --")
  .description(
    "Import a catalog into a fresh local database, ask every judged query through search_products, and print " +
      "NDCG@10 (gain 2^grade - 1, mean over queries with a positive grade, unjudged products count 0).",
  )
  .requiredOption("--products <file>", "products as JSONL, gzipped or not")
  .requiredOption("--judgments <file>", "CSV with query, sku, grade (0 to 3)")
  .option("--floor <ndcg>", "fail where NDCG@10 is below", positiveNumber)
  .option("--details", "print a line for every query")
  .parse()
  .opts<{ products: string; judgments: string; floor?: number; details?: boolean }>();

/** A caller who asks more, or sees more products, could meet the limits of one caller. */
const QUERIES_OF_A_CALLER = 10;

// Imported only now, because it reads policy.json: the command can report that it is not JSON.
const { addCallers } = await import("./bench/callers.ts");

const answerSchema = z.object({ products: z.array(z.object({ sku: z.string(), name: z.string() })) });

const judged = await readJudgments(options.judgments);
const products = await readProducts(options.products);
checkJudgedSkus(judged, products);
const state = await mkdtemp(join(tmpdir(), "catalog-eval-"));
const server = await startServer({ stateDir: state });
try {
  await importRecords(server, products);
  const results = await askAll();
  if (options.details === true) {
    for (const { query, value, found } of results.toSorted((a, b) => a.value - b.value)) {
      console.log(`${value.toFixed(3)}  ${query}: ${found.map(({ name }) => name.slice(0, 40)).join(" | ")}`);
    }
  }
  const values = results.map(({ value }) => value);
  const random = xoroshiro128plus(1);
  const [low, high] = bootstrap95(values, (from, to) => uniformInt(random, from, to));
  const zero = results.filter(({ found }) => found.length === 0).length;
  const p50 = median(results.map(({ ms }) => ms));
  console.log(
    `ndcg@10=${mean(values).toFixed(3)} ci95=[${low.toFixed(3)},${high.toFixed(3)}] zero_results=${zero} queries=${values.length} p50_ms=${p50.toFixed(1)}`,
  );
  if (options.floor !== undefined && mean(values) < options.floor) {
    console.error(`NDCG@10 is below the floor of ${options.floor}.`);
    process.exitCode = 1;
  }
} finally {
  await server.close();
  await rm(state, { recursive: true });
}

async function askAll() {
  const keys = await addCallers(server, Math.ceil(judged.length / QUERIES_OF_A_CALLER));
  const results = [];
  for (const [index, key] of keys.entries()) {
    const client = await connect(key);
    for (const [query, grades] of judged.slice(index * QUERIES_OF_A_CALLER).slice(0, QUERIES_OF_A_CALLER))
      results.push(await ask(client, query, grades));
    await client.close();
  }
  return results;
}

async function ask(client: Client, query: string, grades: Grades) {
  const started = performance.now();
  const answer = await client.callTool({ name: "search_products", arguments: { query, limit: 10 } });
  const ms = performance.now() - started;
  if (answer.isError === true)
    throw new Error(`"${query}" was not answered: ${JSON.stringify(answer.content)}`);
  const found = answerSchema.parse(answer.structuredContent).products;
  const skus = found.map(({ sku }) => sku);
  return { query, found, ms, value: ndcg(skus, grades) };
}

async function connect(key: string): Promise<Client> {
  const client = new Client({ name: "eval:search", version: "1" }, { versionNegotiation: { mode: "auto" } });
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", server.url), { requestInit }));
  return client;
}
