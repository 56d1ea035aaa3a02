// ask: a small MCP client that prints the catalog's answer as a table.

import { styleText } from "node:util";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import Table from "cli-table3";
import * as z from "zod";
import { productSummarySchema } from "../src/catalog/product.ts";
import { stockSchema } from "../src/inventory/stock.ts";
import { commandOf } from "./command.ts";
import { wholeNumber } from "./arguments.ts";
import { serverMessage } from "./server-message.ts";
import { DENSE } from "./table.ts";
import { findServer } from "./local/server.ts";

/**
 * The variable that holds an access key. It is never an argument, because other users of a machine can see
 * those.
 */
const KEY_VARIABLE = "CATALOG_ACCESS_KEY";

const program = commandOf("ask")
  .description("Ask the catalog over MCP, as an AI client does.")
  .argument("[query]", "what to search for, in plain words")
  .option("--sku <sku...>", "show live stock of these SKUs instead")
  .option("--category <name>", "only this category")
  .option("--limit <number>", "most products to show (1 to 50)", wholeNumber, 10)
  .option("--url <url>", "MCP endpoint (default: the running npm run dev)")
  .option("--json", "print the answer as JSON")
  .addHelpText("after", `\nSet ${KEY_VARIABLE} if the server requires an access key.`)
  .parse();
const options = program.opts<{
  sku?: string[];
  category?: string;
  limit: number;
  url?: string;
  json?: boolean;
}>();
const [query] = program.args;

const colours = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
const look = {
  style: colours ? {} : { head: [], border: [] },
  chars: DENSE,
};

const searchAnswer = z.object({
  products: z.array(productSummarySchema),
  next_cursor: z.string().optional(),
  notice: z.string().optional(),
});
const stockAnswer = z.object({
  items: z.array(stockSchema),
  not_found: z.array(z.object({ sku: z.string(), nearest_skus: z.array(z.string()) })),
  as_of: z.string(),
});

if ((query === undefined) === (options.sku === undefined)) {
  program.error("Give a query, or --sku with one or more SKUs. See --help.");
}
try {
  process.exitCode = await ask();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function ask(): Promise<number> {
  const url = options.url ?? (await runningUrl());
  const client = new Client(
    { name: "product-catalog-mcp ask", version: "1" },
    { versionNegotiation: { mode: "auto" } },
  );
  if (!URL.canParse(url)) throw new Error(`${url} is not a URL. It looks like http://127.0.0.1:8787/mcp`);
  const key = process.env[KEY_VARIABLE];
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  await client
    .connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
    .catch(async (error: unknown) => {
      throw new Error(await explainFailure(url, headers), { cause: error });
    });
  try {
    const call = options.sku
      ? { name: "query_stock", arguments: { skus: options.sku } }
      : { name: "search_products", arguments: { query, category: options.category, limit: options.limit } };
    const result = await client.callTool(call);
    const text = result.content.map((block) => (block.type === "text" ? block.text : "")).join("\n");
    if (result.isError === true) {
      console.error(text);
      return 1;
    }
    if (options.json) console.log(JSON.stringify(result.structuredContent, null, 2));
    else
      console.log(options.sku ? stockTable(result.structuredContent) : searchTable(result.structuredContent));
    return options.sku !== undefined && stockAnswer.parse(result.structuredContent).items.length === 0
      ? 1
      : 0;
  } finally {
    await client.close();
  }
}

/**
 * Finds out why the client could not connect: repeats the request without the client, with the same key
 * because anonymous callers may be served.
 */
async function explainFailure(url: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      ...headers,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  }).catch(() => undefined);
  if (response === undefined)
    return `No server answers at ${url}. Start one with npm run dev, or check the URL.`;
  const { status } = response;
  const said = response.ok ? "" : await serverMessage(response);
  const why = said === "" ? "." : `: ${said.replace(/\.?$/, ".")}`;
  if (status !== 401 && status !== 403)
    return `${url} answers, but it is not an MCP server that accepts this call (HTTP ${status})${why}`;
  return headers["authorization"] === undefined
    ? `${url} requires an access key. Set ${KEY_VARIABLE}.`
    : `${url} rejects the access key in ${KEY_VARIABLE}${why}`;
}

async function runningUrl(): Promise<string> {
  const server = await findServer();
  if (server === undefined)
    throw new Error("No server runs on this machine. Start one with npm run dev, or give --url.");
  return `${server.url}/mcp`;
}

function searchTable(answer: unknown): string {
  const { products, next_cursor, notice } = searchAnswer.parse(answer);
  if (products.length === 0) return notice ?? "No product matches.";
  const table = new Table({
    head: ["SKU", "Product", "Brand", "Category", "Price", "Availability"],
    ...look,
  });
  for (const { sku, name, brand, category, price, availability } of products) {
    table.push([sku, name, brand, category, { content: price.formatted, hAlign: "right" }, availability]);
  }
  return next_cursor === undefined
    ? table.toString()
    : `${table.toString()}\nThere are more products. Raise --limit to see them.`;
}

function stockTable(answer: unknown): string {
  const { items, not_found, as_of } = stockAnswer.parse(answer);
  const table = new Table({ head: ["SKU", "Status", "Stock", "Warehouses"], ...look });
  for (const { sku, status, stock, warehouses } of items) {
    const places = warehouses.map(({ warehouse, quantity }) => `${warehouse} ${quantity}`).join(", ");
    table.push([sku, status, { content: stock, hAlign: "right" }, places]);
  }
  for (const { sku, nearest_skus } of not_found) {
    const nearest = nearest_skus.length > 0 ? `nearest: ${nearest_skus.join(", ")}` : "";
    table.push([sku, styleText("red", "not found"), "", nearest]);
  }
  return `${table.toString()}\nAs of ${as_of}`;
}
