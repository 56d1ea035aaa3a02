// lab bench flood: how long a caller waits for a product while another caller floods the server.

import { setTimeout as sleep } from "node:timers/promises";
import { positiveNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { importRecords } from "../cli/import/import-records.ts";
import type { LocalServer } from "../cli/local/server.ts";
import { generateProducts } from "../cli/sample/generate.ts";
import { plainTable } from "../cli/table.ts";
import { Connections } from "./bench/load.ts";
import { post } from "./bench/variants.ts";
import { addCallers, callerIds } from "./support/callers.ts";
import { quantile } from "./support/figures.ts";
import { withFreshServer } from "./support/fresh-server.ts";

/** The slowest twentieth of calls may take this many times longer under a flood. */
const RATIO_MAX = 3;
/** Quiet and flooded times alternate, so that a busy moment of the machine falls on both. */
const ROUNDS = 3;
const PAUSE_MS = 20;
/** Calls of the waiting caller that its rate limit allows. */
const CALLS_PER_KEY = 90;
const CALLERS = 2_000;
const BATCH = 100;

const toolCall = (name: string, args: object, id = 1) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});

/** Each search has different prices, so that no answer can come from a cache. */
const searches = (query: string, count = BATCH) =>
  Array.from({ length: count }, (_, index) => {
    const prices = { min_price: 500 + index / 100, max_price: 500.005 + index / 100 };
    return toolCall("search_products", { query, limit: 1, ...prices }, index + 1);
  });

/** Bodies that one caller sends at once, as many calls as its rate limit allows. */
const FLOODS: Record<string, unknown[]> = {
  "batch: ten common words": [searches("laptop phone screen desk chair light case cable keyboard mouse")],
  "batch: ten misspelt words": [
    searches("wirless keborrd mosue latopp stnnd csable chrgger phonne csaee scrren"),
  ],
  "batch: ten codes": [
    searches("SKU-10001 SKU-10002 SKU-10003 SKU-10004 SKU-10005 SKU-10006 SKU-10007 SKU-10008"),
  ],
  "batch: 100 ligatures (U+FDFA)": [searches("\uFDFA".repeat(100))],
  "batch: 100 unknown tools": [
    Array.from({ length: BATCH }, (_, index) => toolCall("no_such_tool", {}, index + 1)),
  ],
  "60 searches at once": searches("wireless keyboard", 60),
};

const options = commandOf("lab bench flood")
  .description(
    "Time get_product for one caller while another sends batches and bursts. Print the p95 without and with each flood, and the ratio.",
  )
  .option("--products <number>", "products in the catalog", positiveNumber, 5_000)
  .option("--seconds <number>", "time without and with each flood", positiveNumber, 9)
  .option("--flood <text>", "only floods whose name has this text", "")
  .option("--check", `exit with 1 if a ratio is above ${RATIO_MAX}`)
  .parse()
  .opts<{ products: number; seconds: number; flood: string; check?: boolean }>();

const waiting = new Connections(1);
const flooding = new Connections(64);
const rows = await withFreshServer(measure);
waiting.close();
flooding.close();
const table = plainTable(["flood", "p95 quiet, ms", "p95 flooded, ms", "ratio", "calls", "bursts"]);
for (const { flood, quietMs, floodMs, ratio, calls, bursts } of rows)
  table.push([flood, quietMs.toFixed(1), floodMs.toFixed(1), ratio.toFixed(2), calls, bursts]);
console.log(table.toString());
if (options.check === true && !rows.every(({ ratio }) => ratio <= RATIO_MAX)) process.exitCode = 1;

async function measure(server: LocalServer) {
  const products = [...generateProducts(options.products, 1)];
  await importRecords(server, products);
  const keys = (await addCallers(server, callerIds(CALLERS))).values();
  const newCaller = () => {
    const { value, done } = keys.next();
    if (done === true) throw new Error("There are no callers left.");
    return { authorization: `Bearer ${value}` };
  };

  /** Milliseconds of each call for a round's time, one after another with a pause between them. */
  async function timeCalls(): Promise<number[]> {
    const times: number[] = [];
    const end = performance.now() + (options.seconds * 1_000) / ROUNDS;
    let caller = newCaller();
    for (let call = 0; performance.now() < end; call++) {
      const sku = products[call % products.length]?.sku ?? "";
      const ask = () => waiting.call(server.url, post(toolCall("get_product", { sku }), caller));
      if (call % CALLS_PER_KEY === 0) {
        caller = newCaller();
        // A caller's first call creates its object.
        await ask();
      }
      const started = performance.now();
      await ask();
      times.push(performance.now() - started);
      await sleep(PAUSE_MS);
    }
    return times;
  }

  await timeCalls();
  const measured = [];
  for (const [flood, bodies] of Object.entries(FLOODS).filter(([name]) => name.includes(options.flood))) {
    const burst = async () => {
      const caller = newCaller();
      await Promise.all(bodies.map((body) => flooding.send(server.url, post(body, caller))));
    };
    await burst();
    const [quiet, under]: [number[], number[]] = [[], []];
    let bursts = 0;
    for (let round = 0; round < ROUNDS; round++) {
      quiet.push(...(await timeCalls()));
      // One burst follows the other until the round is over; the last one ends before the next round begins.
      const over = new AbortController();
      const flooded = (async () => {
        for (; !over.signal.aborted; bursts++) await burst();
      })();
      under.push(...(await timeCalls().finally(() => over.abort())));
      await flooded;
    }
    const [quietMs, floodMs] = [quantile(quiet, 0.95), quantile(under, 0.95)];
    console.error(`${flood}: ${quietMs.toFixed(0)} ms quiet, ${floodMs.toFixed(0)} ms flooded`);
    measured.push({ flood, quietMs, floodMs, ratio: floodMs / quietMs, calls: under.length, bursts });
  }
  return measured;
}
