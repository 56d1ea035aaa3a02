// lab bench import: how fast a catalog is imported, in how much memory, and how long searches wait meanwhile.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { positiveNumber } from "../cli/arguments.ts";
import { commandOf } from "../cli/command.ts";
import type { LocalServer } from "../cli/local/server.ts";
import { plainTable } from "../cli/table.ts";
import { ROOT } from "../cli/wrangler.ts";
import { watchMemory } from "./bench/memory.ts";
import { WORDS, writeScaledCatalog } from "./eval/scaled-catalog.ts";
import { addCallers, callerIds, connect } from "./support/callers.ts";
import { startCheckout } from "./support/checkout-server.ts";

/** Enough callers to stay within the limits of each. */
const CALLERS = 40;
const SEARCH_EVERY_MS = 500;
const MIB = 1024 * 1024;

const options = commandOf("lab bench import")
  .description(
    "Import a generated catalog into an empty database, and then the same products with other prices and texts, through a " +
      "running server that answers searches meanwhile. Print products a second, the most memory that the command and " +
      "the server's workerd held, and the slowest search.",
  )
  .option("--products <number>", "products in the file", positiveNumber, 100_000)
  .option("--against <folder>", "another checkout, installed, to measure in turns with this one")
  .option("--rounds <number>", "how many times to measure each", positiveNumber, 1)
  .option("--json", "print JSON")
  .parse()
  .opts<{ products: number; against?: string; rounds: number; json?: boolean }>();

interface Measured {
  checkout: string;
  step: "new" | "changed";
  productsPerSecond: number;
  commandMiB: number;
  workerdMiB: number;
  slowestSearchMs: number;
  searches: number;
}

const folder = await mkdtemp(join(tmpdir(), "catalog-bench-import-"));
try {
  const files = { new: join(folder, "new.jsonl"), changed: join(folder, "changed.jsonl") };
  await writeScaledCatalog(files.new, options.products);
  await writeScaledCatalog(files.changed, options.products, (product) => ({
    ...product,
    description: `${product.description} Now with a longer guarantee.`,
    price_minor: product.price_minor + 100,
  }));
  const checkouts = [ROOT, ...(options.against === undefined ? [] : [resolve(options.against)])];
  const measured: Measured[] = [];
  for (let round = 0; round < options.rounds; round++)
    for (const checkout of checkouts) measured.push(...(await measure(checkout, files)));
  if (options.json === true) console.log(JSON.stringify(measured));
  else print(measured);
} finally {
  await rm(folder, { recursive: true, maxRetries: 5 });
}

async function measure(checkout: string, files: Record<Measured["step"], string>): Promise<Measured[]> {
  const state = await mkdtemp(join(folder, "state-"));
  const server = await startCheckout(checkout, state);
  try {
    const results: Measured[] = [];
    for (const step of ["new", "changed"] as const) {
      console.error(`${checkout}: importing ${options.products.toLocaleString("en")} ${step} products`);
      const searching = searchMeanwhile(server);
      const memory = watchMemory(server.pid, "workerd");
      const started = performance.now();
      const command = server.importFile(files[step]);
      const commandMemory = watchMemory(command.pid);
      await command.done;
      const seconds = (performance.now() - started) / 1_000;
      await Promise.all([memory.stop(), commandMemory.stop()]);
      const times = await searching.stop();
      results.push({
        checkout,
        step,
        productsPerSecond: Math.round(options.products / seconds),
        commandMiB: Math.round(commandMemory.peak() / MIB),
        workerdMiB: Math.round(memory.peak() / MIB),
        slowestSearchMs: Math.round(Math.max(...times)),
        searches: times.length,
      });
    }
    return results;
  } finally {
    await server.close();
  }
}

/** Searches one after another until it is stopped; returns the milliseconds of each search. */
function searchMeanwhile(server: LocalServer) {
  const over = new AbortController();
  const times: number[] = [];
  const done = (async () => {
    const ids = callerIds(CALLERS).map((id) => `${id}-${Date.now()}`);
    const keys = await addCallers(server, ids);
    const clients = await Promise.all(keys.map((key) => connect(server.url, key)));
    for (let call = 0; !over.signal.aborted; call++) {
      const started = performance.now();
      const query = call % 2 === 0 ? WORDS.medium : `${WORDS.common} ${WORDS.alsoCommon}`;
      const answer = await clients[call % CALLERS]?.callTool({
        name: "search_products",
        arguments: { query, limit: 5 },
      });
      if (answer?.isError === true) throw new Error(JSON.stringify(answer.content));
      times.push(performance.now() - started);
      await sleep(SEARCH_EVERY_MS, undefined, { signal: over.signal }).catch(() => {});
    }
    for (const client of clients) await client.close();
  })();
  // Until it is stopped, a failure must not count as an unhandled rejection.
  done.catch(() => {});
  return {
    async stop(): Promise<number[]> {
      over.abort();
      await done;
      return times;
    },
  };
}

function print(measured: readonly Measured[]): void {
  const table = plainTable([
    "checkout",
    "products",
    "products/s",
    "command, MiB",
    "workerd, MiB",
    "slowest search, ms",
    "searches",
  ]);
  for (const row of measured)
    table.push([
      row.checkout,
      row.step,
      row.productsPerSecond,
      row.commandMiB,
      row.workerdMiB,
      row.slowestSearchMs,
      row.searches,
    ]);
  console.log(table.toString());
}
