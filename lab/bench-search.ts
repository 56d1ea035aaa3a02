// lab bench search: how the cost of a search grows with the catalog, over the whole path.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { positiveNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { median } from "./eval/ndcg.ts";
import { WORDS, scaledCatalog } from "./eval/scaled-catalog.ts";
import { importRecords } from "../cli/import/import-records.ts";
import { type LocalServer, startServer } from "../cli/local/server.ts";
import { plainTable } from "../cli/table.ts";

const options = commandOf("lab bench search")
  .description(
    "Import generated catalogs of growing size, time search_products on them, and print a table of p50s.",
  )
  .option("--sizes <products...>", "catalog sizes", ["20000", "100000", "1000000"])
  .option("--rounds <number>", "calls of each kind", positiveNumber, 41)
  .option("--json", "print JSON")
  .parse()
  .opts<{ sizes: string[]; rounds: number; json?: boolean }>();

// Imported only now, because it reads policy.json: the command can report that it is not JSON.
const { addCallers } = await import("./bench/callers.ts");

const { common, alsoCommon, medium, rare } = WORDS;
/** Undefined stands for the list of categories: the cost of a call without a search. */
const QUESTIONS: Record<string, Record<string, unknown> | undefined> = {
  "no search (list_categories)": undefined,
  "rare word (20 products)": { query: rare },
  "medium word (1 %)": { query: medium },
  "common word (30 %)": { query: common },
  "two common words": { query: `${common} ${alsoCommon}` },
  "common and rare": { query: `${common} ${rare}` },
  "common, one brand": { query: common, brand: "Tidewell" },
  "common, narrow price": { query: common, min_price: 70, max_price: 71 },
  "common, in stock": { query: common, in_stock: true },
  misspelt: { query: "quicksilvre" },
  "common, by price": { query: common, sort: "price_asc" },
};

const CALLERS = 20;

type Measured = Record<string, number>;
const columns: { size: number; importSeconds: number; p50: Measured }[] = [];
for (const size of options.sizes.map(Number)) columns.push(await measureSize(size));
print();

async function measureSize(size: number) {
  const state = await mkdtemp(join(tmpdir(), "catalog-bench-"));
  const server = await startServer({ stateDir: state });
  try {
    const started = performance.now();
    await importScaled(server, size);
    const importSeconds = (performance.now() - started) / 1000;
    return { size, importSeconds, p50: await measure(server) };
  } finally {
    await server.close();
    await rm(state, { recursive: true });
  }
}

async function importScaled(server: LocalServer, size: number): Promise<void> {
  let said = performance.now();
  const say = (text: string) => console.error(`${size.toLocaleString("en")} products: ${text}`);
  await importRecords(server, scaledCatalog(size), {
    onProgress: (products) => {
      if (performance.now() - said < 5_000) return;
      said = performance.now();
      say(`${Math.round((100 * products) / size)} % read`);
    },
    onApply: () => say("applying"),
  });
}

/** The kinds of calls take turns, so that a busy moment of the machine affects all of them. */
async function measure(server: LocalServer): Promise<Measured> {
  // Enough callers to stay within the limits of each.
  const clients: Client[] = [];
  for (const key of await addCallers(server, CALLERS)) clients.push(await connect(server.url, key));
  let made = 0;
  const times = new Map(Object.keys(QUESTIONS).map((kind): [string, number[]] => [kind, []]));
  for (let round = -3; round < options.rounds; round++) {
    for (const [kind, args] of Object.entries(QUESTIONS)) {
      const started = performance.now();
      const call = args ? { name: "search_products", arguments: args } : { name: "list_categories" };
      const answer = await clients[made++ % CALLERS]?.callTool(call);
      if (answer === undefined) throw new Error("No caller.");
      if (answer.isError === true) throw new Error(JSON.stringify(answer.content));
      if (round >= 0) times.get(kind)?.push(performance.now() - started);
    }
  }
  for (const client of clients) await client.close();
  return Object.fromEntries([...times].map(([kind, list]) => [kind, median(list)]));
}

async function connect(url: string, key: string): Promise<Client> {
  const client = new Client(
    { name: "bench", version: "1" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit }));
  return client;
}

function print(): void {
  const ratio = ({ p50 }: { p50: Measured }) =>
    (p50["common word (30 %)"] ?? 0) / (p50["rare word (20 products)"] ?? 1);
  if (options.json === true) {
    console.log(JSON.stringify(columns.map((column) => ({ ...column, commonToRare: ratio(column) }))));
    return;
  }
  const table = plainTable(["p50 in ms", ...columns.map(({ size }) => size.toLocaleString("en"))]);
  for (const kind of Object.keys(QUESTIONS))
    table.push([kind, ...columns.map(({ p50 }) => p50[kind]?.toFixed(1) ?? "")]);
  table.push(["common / rare", ...columns.map((column) => `${ratio(column).toFixed(1)}x`)]);
  table.push([
    "import, products/s",
    ...columns.map(({ size, importSeconds }) => Math.round(size / importSeconds)),
  ]);
  console.log(table.toString());
}
