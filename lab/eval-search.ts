// lab eval-search: rates search by human judgments, compared with plain FTS5, over the whole path:
// import, D1, MCP.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import * as z from "zod";
import { positiveNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { checkJudgedSkus, readJudgments } from "./eval/judgments.ts";
import { bootstrap95, mean, median, ndcg } from "./eval/ndcg.ts";
import { plainFts } from "./eval/plain-fts.ts";
import { readProducts } from "./eval/products.ts";
import { importRecords } from "../cli/import/import-records.ts";
import { startServer } from "../cli/local/server.ts";
import { plainTable } from "../cli/table.ts";

const options = commandOf("lab eval-search")
  .description(
    "Import a catalog into a fresh local database, ask every judged query through search_products and a plain FTS5 " +
      "table, and print NDCG@10 of both (gain 2^grade - 1, mean over queries with a positive grade, unjudged " +
      "products count 0) and the paired difference, each with its 95 % bootstrap interval.",
  )
  .requiredOption("--products <file>", "products as JSONL, gzipped or not")
  .requiredOption("--judgments <file>", "CSV with query, sku, grade (0 to 3)")
  .option("--floor <ndcg>", "fail if NDCG@10 is below", positiveNumber)
  .option("--details", "print a line for every query")
  .option("--json", "print the figures as JSON in the last line")
  .parse()
  .opts<{ products: string; judgments: string; floor?: number; details?: boolean; json?: boolean }>();

const answerSchema = z.object({ products: z.array(z.object({ sku: z.string(), name: z.string() })) });

/** A caller with more queries, or with more products seen, could reach a caller's limits. */
const QUERIES_PER_CALLER = 10;

// Imported only now, because it reads policy.json: the command can report that it is not JSON.
const { addCallers } = await import("./bench/callers.ts");

const judged = await readJudgments(options.judgments);
const products = await readProducts(options.products);
checkJudgedSkus(judged, products);
const state = await mkdtemp(join(tmpdir(), "catalog-eval-"));
const server = await startServer({ stateDir: state });
try {
  await importRecords(server, products);
  report(await askAll());
} finally {
  await server.close();
  await rm(state, { recursive: true });
}

interface Answer {
  query: string;
  found: { sku: string; name: string }[];
  ms: number;
  search: number;
  plain: number;
}

async function askAll(): Promise<Answer[]> {
  const plain = plainFts(products);
  const keys = await addCallers(server, Math.ceil(judged.length / QUERIES_PER_CALLER));
  const clients = await Promise.all(keys.map(connect));
  const answers: Answer[] = [];
  for (const [index, [query, grades]] of judged.entries()) {
    const started = performance.now();
    const answer = await clients[index % clients.length]?.callTool({
      name: "search_products",
      arguments: { query, limit: 10 },
    });
    const ms = performance.now() - started;
    if (answer === undefined || answer.isError === true)
      throw new Error(`"${query}" was refused: ${JSON.stringify(answer?.content)}`);
    const found = answerSchema.parse(answer.structuredContent).products;
    const search = ndcg(
      found.map(({ sku }) => sku),
      grades,
    );
    answers.push({ query, found, ms, search, plain: ndcg(plain(query), grades) });
  }
  for (const client of clients) await client.close();
  return answers;
}

async function connect(key: string): Promise<Client> {
  const client = new Client(
    { name: "product-catalog-mcp lab eval-search", version: "1" },
    { versionNegotiation: { mode: "auto" } },
  );
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", server.url), { requestInit }));
  return client;
}

/** Both get each query, so the difference is paired. */
function report(answers: readonly Answer[]): void {
  if (options.details === true) {
    for (const { query, search, plain, found } of answers.toSorted((a, b) => a.search - b.search)) {
      const names = found.map(({ name }) => name.slice(0, 40)).join(" | ");
      console.log(`${search.toFixed(3)} (plain ${plain.toFixed(3)})  ${query}: ${names}`);
    }
  }
  const search = spread(answers.map((answer) => answer.search));
  const plain = spread(answers.map((answer) => answer.plain));
  const difference = spread(answers.map((answer) => answer.search - answer.plain));
  const table = plainTable(["NDCG@10", "mean", "95 % interval"]);
  for (const [name, { value, ci95 }] of Object.entries({
    "this search": search,
    "plain FTS5": plain,
    difference,
  })) {
    table.push([name, value.toFixed(3), `${ci95[0].toFixed(3)} to ${ci95[1].toFixed(3)}`]);
  }
  const zero = answers.filter(({ found }) => found.length === 0).length;
  const p50 = median(answers.map(({ ms }) => ms));
  console.log(table.toString());
  console.log(`${answers.length} queries, ${zero} without a result, p50 ${p50.toFixed(1)} ms`);
  if (options.floor !== undefined && search.value < options.floor) {
    console.error(`NDCG@10 is below the floor of ${options.floor}.`);
    process.exitCode = 1;
  }
  if (options.json !== true) return;
  const named = ({ value: ndcgMean, ci95 }: Spread) => ({ ndcg: ndcgMean, ci95 });
  const json = {
    search: named(search),
    plain: named(plain),
    difference: { mean: difference.value, ci95: difference.ci95 },
    queries: answers.length,
  };
  console.log(JSON.stringify(json));
}

interface Spread {
  value: number;
  ci95: [low: number, high: number];
}

function spread(values: readonly number[]): Spread {
  const random = xoroshiro128plus(1);
  return { value: mean(values), ci95: bootstrap95(values, (from, to) => uniformInt(random, from, to)) };
}
