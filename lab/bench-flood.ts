// lab bench flood: how long a caller waits for a product while another caller floods the server.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { positiveNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import { FLOODS, mcpRequest, toolCall } from "./bench/floods.ts";
import { Connections, check } from "./bench/load.ts";
import { importRecords } from "../cli/import/import-records.ts";
import { startServer } from "../cli/local/server.ts";
import { generateProducts } from "../cli/sample/generate.ts";
import { plainTable } from "../cli/table.ts";

/** The slowest twentieth of calls may take this many times longer under a flood. */
const RATIO_MAX = 3;
/** Quiet and flooded times alternate, so that a busy moment of the machine falls on both. */
const ROUNDS = 3;
const PAUSE_MS = 20;
/** Calls of the waiting caller that its rate limit allows. */
const CALLS_PER_KEY = 90;
const KEYS = 2_000;

const options = commandOf("lab bench flood")
  .description(
    "Time get_product for one caller while another sends batches and bursts. Print the p95 without and with each flood, and the ratio.",
  )
  .option("--products <number>", "products in the catalog", positiveNumber, 5_000)
  .option("--seconds <number>", "time without and with each flood", positiveNumber, 9)
  .option("--flood <text>", "only floods whose name has this text")
  .option("--json", "print JSON")
  .option("--check", `exit with 1 if a ratio is above ${RATIO_MAX}`)
  .parse()
  .opts<{ products: number; seconds: number; flood?: string; json?: boolean; check?: boolean }>();

// Imported only now, because it reads policy.json: the command can report that it is not JSON.
const { addCallers } = await import("./bench/callers.ts");

interface Row {
  flood: string;
  quietMs: number;
  floodMs: number;
  ratio: number;
  /** Calls that were timed under the flood. */
  calls: number;
  bursts: number;
}

const results = await measure();
if (options.json === true) console.log(JSON.stringify(results));
else {
  const table = plainTable(["flood", "p95 quiet, ms", "p95 flooded, ms", "ratio", "calls", "bursts"]);
  for (const { flood, quietMs, floodMs, ratio, calls, bursts } of results)
    table.push([flood, quietMs.toFixed(1), floodMs.toFixed(1), ratio.toFixed(2), calls, bursts]);
  console.log(table.toString());
}
if (options.check === true && !results.every(({ ratio }) => ratio <= RATIO_MAX)) process.exitCode = 1;

async function measure(): Promise<Row[]> {
  const state = await mkdtemp(join(tmpdir(), "catalog-bench-"));
  const server = await startServer({ stateDir: state });
  const waiting = new Connections(1);
  const flooding = new Connections(64);
  try {
    const products = [...generateProducts(options.products, 1)];
    await importRecords(server, products);
    const keys = (await addCallers(server, KEYS)).values();
    const newKey = (): string => {
      const { value, done } = keys.next();
      if (done === true) throw new Error("There are no callers left.");
      return value;
    };
    const skus = products.map(({ sku }) => sku);
    const time = () => timeCalls(waiting, server.url, newKey, skus);
    await time();
    const floods = Object.entries(FLOODS).filter(([name]) => name.includes(options.flood ?? ""));
    const rows: Row[] = [];
    for (const [flood, burst] of floods) {
      const once = () => burst(flooding, server.url, newKey());
      await once();
      const [quiet, under]: [number[], number[]] = [[], []];
      let bursts = 0;
      for (let round = 0; round < ROUNDS; round++) {
        quiet.push(...(await time()));
        const during = await whileFlooded(once, time);
        under.push(...during.times);
        bursts += during.bursts;
      }
      const [quietMs, floodMs] = [p95(quiet), p95(under)];
      console.error(`${flood}: ${quietMs.toFixed(0)} ms quiet, ${floodMs.toFixed(0)} ms flooded`);
      rows.push({ flood, quietMs, floodMs, ratio: floodMs / quietMs, calls: under.length, bursts });
    }
    return rows;
  } finally {
    waiting.close();
    flooding.close();
    await server.close();
    await rm(state, { recursive: true, maxRetries: 5 });
  }
}

/** Times calls while one burst follows the other; the last burst has ended when this returns. */
async function whileFlooded(
  burst: () => Promise<void>,
  time: () => Promise<number[]>,
): Promise<{ times: number[]; bursts: number }> {
  const over = new AbortController();
  let bursts = 0;
  const flood = async () => {
    for (; !over.signal.aborted; bursts++) await burst();
  };
  const timed = async () => {
    try {
      return await time();
    } finally {
      over.abort();
    }
  };
  const [times] = await Promise.all([timed(), flood()]);
  return { times, bursts };
}

/** Milliseconds of each call for a round's time, one after another with a pause between them. */
async function timeCalls(
  connections: Connections,
  url: string,
  newKey: () => string,
  skus: readonly string[],
): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + (options.seconds * 1_000) / ROUNDS;
  let key = "";
  for (let call = 0; performance.now() < end; call++) {
    const sku = skus[call % skus.length] ?? "";
    if (call % CALLS_PER_KEY === 0) {
      key = newKey();
      // A caller's first call creates its object.
      check(await connections.send(url, mcpRequest(key, toolCall("get_product", { sku }))));
    }
    const started = performance.now();
    check(await connections.send(url, mcpRequest(key, toolCall("get_product", { sku }))));
    times.push(performance.now() - started);
    await sleep(PAUSE_MS);
  }
  return times;
}

function p95(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN;
}
