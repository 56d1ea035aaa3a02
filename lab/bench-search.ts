// lab bench search: how the cost of a search grows with the catalog, over the whole path.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { positiveNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { readLock } from "../cli/local/lock-file.ts";
import { plainTable } from "../cli/table.ts";
import { ROOT } from "../cli/wrangler.ts";
import { cpuMs } from "./bench/runtime.ts";
import { WORDS, writeScaledCatalog } from "./eval/scaled-catalog.ts";
import { addCallers, callerIds, connect } from "./support/callers.ts";
import { type CheckoutServer, startCheckout } from "./support/checkout-server.ts";
import { median } from "./support/figures.ts";

const options = commandOf("lab bench search")
  .description(
    "Import generated catalogs of growing size, time search_products on them, and print p50s and workerd's processor time " +
      "(Linux alone tells). With another checkout, the two answer in turns, and the share of its processor time is printed.",
  )
  .option("--sizes <products...>", "catalog sizes", ["20000", "100000", "1000000"])
  .option("--rounds <number>", "calls of each kind", positiveNumber, 41)
  .option("--against <folder>", "another checkout, installed, to measure in turns with this one")
  .parse()
  .opts<{ sizes: string[]; rounds: number; against?: string }>();

const { common, alsoCommon, medium, rare } = WORDS;
const NO_SEARCH = "no search (list_categories)";
/** Undefined stands for the list of categories: the cost of a call without a search. */
const QUESTIONS: Record<string, Record<string, unknown> | undefined> = {
  [NO_SEARCH]: undefined,
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
const kinds = Object.keys(QUESTIONS);
/** Enough callers to stay within the limits of each. */
const CALLERS = 60;
/** The kernel counts processor time in steps of 10 ms, so calls of one kind follow each other. */
const BLOCK = 5;
const WARM_UP_BLOCKS = 1;

interface Cost {
  p50: number;
  /** Milliseconds of processor time a call. */
  cpu: number;
}
type Costs = Record<string, Cost>;

const checkouts = [ROOT, ...(options.against === undefined ? [] : [resolve(options.against)])];
const columns: { size: number; checkout: string; costs: Costs }[] = [];
for (const size of options.sizes.map(Number)) columns.push(...(await measure(size)));

print("p50 in ms", ({ p50 }) => p50);
print("processor ms a call", ({ cpu }) => cpu);
for (const [index, own] of columns.entries()) {
  const other = columns[index + 1];
  if (own.checkout !== ROOT || other === undefined || other.checkout === ROOT) continue;
  const share = (cpuOfSearches(own) / cpuOfSearches(other)).toFixed(2);
  console.log(
    `${own.size.toLocaleString("en")} products: ${share} of the processor time of ${other.checkout}`,
  );
}

/** Calls of every kind that searches, the guard's work included. */
function cpuOfSearches({ costs }: { costs: Costs }): number {
  return kinds.reduce((sum, kind) => sum + (kind === NO_SEARCH ? 0 : (costs[kind]?.cpu ?? 0)), 0);
}

function print(title: string, valueOf: (cost: Cost) => number): void {
  const names = columns.map(
    ({ size, checkout }) => `${size.toLocaleString("en")}${checkout === ROOT ? "" : ` ${checkout}`}`,
  );
  const table = plainTable([title, ...names]);
  for (const kind of kinds)
    table.push([kind, ...columns.map(({ costs }) => (costs[kind] ? valueOf(costs[kind]).toFixed(1) : ""))]);
  console.log(table.toString());
}

async function measure(size: number) {
  const folder = await mkdtemp(join(tmpdir(), "catalog-bench-search-"));
  const servers: CheckoutServer[] = [];
  try {
    const file = join(folder, "products.jsonl");
    await writeScaledCatalog(file, size);
    const asked: Asked[] = [];
    for (const [index, checkout] of checkouts.entries()) {
      console.error(`${checkout}: importing ${size.toLocaleString("en")} products`);
      const state = join(folder, String(index));
      const server = await startCheckout(checkout, state);
      servers.push(server);
      await server.importFile(file).done;
      asked.push(await askedOf(server, state));
    }
    for (let block = -WARM_UP_BLOCKS; block * BLOCK < options.rounds; block++)
      for (const kind of kinds) for (const each of asked) await askBlock(each, kind, block >= 0);
    for (const { clients } of asked) for (const client of clients) await client.close();
    return asked.map(({ samples }, index) => ({
      size,
      checkout: checkouts[index] ?? "",
      costs: Object.fromEntries(
        [...samples].map(([kind, { times, cpu }]) => [kind, { p50: median(times), cpu: cpu / times.length }]),
      ),
    }));
  } finally {
    for (const server of servers) await server.close();
    await rm(folder, { recursive: true, maxRetries: 5 });
  }
}

interface Asked {
  runtimes: number[];
  clients: Awaited<ReturnType<typeof connect>>[];
  made: number;
  samples: Map<string, { times: number[]; cpu: number }>;
}

async function askedOf(server: CheckoutServer, state: string): Promise<Asked> {
  const keys = await addCallers(server, callerIds(CALLERS));
  return {
    runtimes: (await readLock(state))?.runtimes ?? [],
    clients: await Promise.all(keys.map((key) => connect(server.url, key))),
    made: 0,
    samples: new Map(kinds.map((kind) => [kind, { times: [], cpu: 0 }])),
  };
}

/** Kinds and servers take turns, so that a busy moment of the machine affects all of them. */
async function askBlock(asked: Asked, kind: string, isCounted: boolean): Promise<void> {
  const args = QUESTIONS[kind];
  const call = args ? { name: "search_products", arguments: args } : { name: "list_categories" };
  const sample = asked.samples.get(kind);
  const before = cpuOf(asked);
  for (let calls = 0; calls < BLOCK; calls++) {
    const started = performance.now();
    const answer = await asked.clients[asked.made++ % CALLERS]?.callTool(call);
    if (answer === undefined || answer.isError === true)
      throw new Error(`${kind}: ${JSON.stringify(answer?.content)}`);
    if (isCounted) sample?.times.push(performance.now() - started);
  }
  if (isCounted && sample !== undefined) sample.cpu += cpuOf(asked) - before;
}

function cpuOf({ runtimes }: Asked): number {
  return runtimes.reduce((sum, pid) => sum + cpuMs(pid), 0);
}
