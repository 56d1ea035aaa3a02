// lab eval-search: rates search by human judgments, compared with plain FTS5, over the whole path:
// import, D1, MCP.

import * as z from "zod";
import { positiveNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { importRecords } from "../cli/import/import-records.ts";
import type { LocalServer } from "../cli/local/server.ts";
import { plainTable } from "../cli/table.ts";
import { ndcg, spread } from "./eval/ndcg.ts";
import { checkJudgedSkus, readJudgments, readProducts } from "./eval/read-data.ts";
import { addCallers, callerIds, connect } from "./support/callers.ts";
import { median } from "./support/figures.ts";
import { withFreshServer } from "./support/fresh-server.ts";
import { NAIVE_PAGE, NAIVE_TABLE, naiveMatch } from "./support/naive-fts.ts";

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

const judged = await readJudgments(options.judgments);
const products = await readProducts(options.products);
checkJudgedSkus(judged, products);
const answers = await withFreshServer(askAll);
if (options.details === true)
  for (const { query, search, plain, names } of answers.toSorted((a, b) => a.search - b.search))
    console.log(`${search.toFixed(3)} (plain ${plain.toFixed(3)})  ${query}: ${names.join(" | ")}`);

const figures = {
  search: spread(answers.map(({ search }) => search)),
  plain: spread(answers.map(({ plain }) => plain)),
  // Both get each query, so the difference is paired.
  difference: spread(answers.map(({ search, plain }) => search - plain)),
};
const table = plainTable(["NDCG@10", "mean", "95 % interval"]);
const ROWS = { "this search": figures.search, "plain FTS5": figures.plain, difference: figures.difference };
for (const [name, { mean, ci95 }] of Object.entries(ROWS))
  table.push([name, mean.toFixed(3), ci95.map((end) => end.toFixed(3)).join(" to ")]);
const zero = answers.filter(({ names }) => names.length === 0).length;
const p50 = median(answers.map(({ ms }) => ms));
console.log(table.toString());
console.log(`${answers.length} queries, ${zero} without a result, p50 ${p50.toFixed(1)} ms`);
if (options.json === true) {
  const [search, plain] = [figures.search, figures.plain].map(({ mean, ci95 }) => ({ ndcg: mean, ci95 }));
  console.log(JSON.stringify({ search, plain, difference: figures.difference, queries: answers.length }));
}
if (options.floor !== undefined && figures.search.mean < options.floor) {
  console.error(`NDCG@10 is below the floor of ${options.floor}.`);
  process.exitCode = 1;
}

async function askAll(server: LocalServer) {
  await importRecords(server, products);
  await server.batch(NAIVE_TABLE.map((sql) => ({ sql, values: [] })));
  const plainSql = `SELECT p.sku FROM naive_search f, products p ${NAIVE_PAGE}`;
  const keys = await addCallers(server, callerIds(Math.ceil(judged.length / QUERIES_PER_CALLER)));
  const clients = await Promise.all(keys.map((key) => connect(server.url, key)));
  const all = [];
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
    const skus = found.map(({ sku }) => sku);
    const names = found.map(({ name }) => name.slice(0, 40));
    const [rows = []] = await server.batch([{ sql: plainSql, values: [naiveMatch(query)] }]);
    const plain = rows.map(({ sku }) => String(sku));
    all.push({ query, names, ms, search: ndcg(skus, grades), plain: ndcg(plain, grades) });
  }
  for (const client of clients) await client.close();
  return all;
}
