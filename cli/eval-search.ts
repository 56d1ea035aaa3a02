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
import { readJudgments } from "./eval/judgments.ts";
import { bootstrap95, mean, median, ndcg } from "./eval/ndcg.ts";
import { checkRows } from "./import/check-rows.ts";
import { importCatalog } from "./import/import-catalog.ts";
import { openSource } from "./import/open-source.ts";
import { showProgress } from "./import/progress.ts";
import { readJsonl } from "./import/read-jsonl.ts";
import { localTarget } from "./import/targets.ts";
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

const answerSchema = z.object({ products: z.array(z.object({ sku: z.string(), name: z.string() })) });

const judged = await readJudgments(options.judgments);
const state = await mkdtemp(join(tmpdir(), "catalog-eval-"));
const server = await startServer({ stateDir: state });
try {
  await importProducts();
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

async function importProducts(): Promise<void> {
  const source = await openSource(options.products);
  const progress = showProgress(source, "Importing");
  const report = await importCatalog(checkRows(readJsonl(source.bytes)), localTarget(server), {
    strict: false,
    dryRun: false,
    removeMissing: false,
    version: undefined,
    onProgress: (products) => progress.update(products),
    onBadRow: (line, problem) => console.error(`line ${line}: ${problem}`),
    onApply: () => progress.stop(),
  });
  if (!report.applied) throw new Error(`${options.products} has no good row.`);
}

async function askAll() {
  const client = new Client({ name: "eval:search", version: "1" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", server.url)));
  const results = [];
  for (const [query, grades] of judged) {
    const started = performance.now();
    const answer = await client.callTool({ name: "search_products", arguments: { query, limit: 10 } });
    const ms = performance.now() - started;
    const found = answerSchema.parse(answer.structuredContent).products;
    results.push({
      query,
      found,
      ms,
      value: ndcg(
        found.map(({ sku }) => sku),
        grades,
      ),
    });
  }
  await client.close();
  return results;
}
