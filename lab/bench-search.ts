// lab bench search: how the cost of a search grows with the catalog, over the whole path.

import { positiveNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { importRecords } from "../cli/import/import-records.ts";
import type { LocalServer } from "../cli/local/server.ts";
import { plainTable } from "../cli/table.ts";
import { WORDS, scaledCatalog } from "./eval/scaled-catalog.ts";
import { addCallers, callerIds, connect } from "./support/callers.ts";
import { median } from "./support/figures.ts";
import { withFreshServer } from "./support/fresh-server.ts";

const options = commandOf("lab bench search")
  .description(
    "Import generated catalogs of growing size, time search_products on them, and print a table of p50s.",
  )
  .option("--sizes <products...>", "catalog sizes", ["20000", "100000", "1000000"])
  .option("--rounds <number>", "calls of each kind", positiveNumber, 41)
  .parse()
  .opts<{ sizes: string[]; rounds: number }>();

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
/** Enough callers to stay within the limits of each. */
const CALLERS = 20;
const SAY_EVERY_MS = 5_000;

const columns: { size: number; importSeconds: number; p50: Record<string, number> }[] = [];
for (const size of options.sizes.map(Number))
  columns.push(await withFreshServer((server) => measure(server, size)));
const table = plainTable(["p50 in ms", ...columns.map(({ size }) => size.toLocaleString("en"))]);
for (const kind of Object.keys(QUESTIONS))
  table.push([kind, ...columns.map(({ p50 }) => p50[kind]?.toFixed(1) ?? "")]);
const rates = columns.map(({ size, importSeconds }) => Math.round(size / importSeconds));
table.push(["import, products/s", ...rates]);
console.log(table.toString());

async function measure(server: LocalServer, size: number) {
  const started = performance.now();
  let said = started;
  await importRecords(server, scaledCatalog(size), {
    onProgress: (products) => {
      if (performance.now() - said < SAY_EVERY_MS) return;
      said = performance.now();
      console.error(`${size.toLocaleString("en")} products: ${Math.round((100 * products) / size)} % read`);
    },
  });
  const importSeconds = (performance.now() - started) / 1000;
  return { size, importSeconds, p50: await timeQuestions(server) };
}

/** The kinds of calls take turns, so that a busy moment of the machine affects all of them. */
async function timeQuestions(server: LocalServer): Promise<Record<string, number>> {
  const keys = await addCallers(server, callerIds(CALLERS));
  const clients = await Promise.all(keys.map((key) => connect(server.url, key)));
  let made = 0;
  const times = new Map(Object.keys(QUESTIONS).map((kind): [string, number[]] => [kind, []]));
  for (let round = -3; round < options.rounds; round++) {
    for (const [kind, args] of Object.entries(QUESTIONS)) {
      const started = performance.now();
      const call = args ? { name: "search_products", arguments: args } : { name: "list_categories" };
      const answer = await clients[made++ % CALLERS]?.callTool(call);
      if (answer === undefined || answer.isError === true)
        throw new Error(`${kind}: ${JSON.stringify(answer?.content)}`);
      if (round >= 0) times.get(kind)?.push(performance.now() - started);
    }
  }
  for (const client of clients) await client.close();
  return Object.fromEntries([...times].map(([kind, list]) => [kind, median(list)]));
}
