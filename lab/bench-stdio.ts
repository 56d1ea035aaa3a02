// lab bench stdio: how long a client over stdio waits for its first answer.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandOf } from "../cli/command.ts";
import { wholeNumber } from "../cli/arguments.ts";
import { plainTable } from "../cli/table.ts";

const BIN = fileURLToPath(new URL("../bin/product-catalog-mcp.mjs", import.meta.url));
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } },
};

const { rounds, node, json } = commandOf("lab bench stdio")
  .description("Measure the time from starting the stdio server to its answer to initialize.")
  .option("--rounds <number>", "starts per kind", wholeNumber, 5)
  .option("--node <path>", "the Node that runs the server", process.execPath)
  .option("--json", "print milliseconds as JSON")
  .parse()
  .opts<{ rounds: number; node: string; json?: boolean }>();

interface Started {
  ms: number;
  end(): Promise<unknown>;
}

async function start(state: string): Promise<Started> {
  const began = performance.now();
  const child = spawn(node, [BIN, "--state", state], { stdio: ["pipe", "pipe", "ignore"] });
  const exit = once(child, "exit");
  child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
  const ended = exit.then(([code]) => {
    throw new Error(
      `The server ended with exit code ${code}. To see why, run npm run -s stdio -- --state ${state}`,
    );
  });
  await Promise.race([once(child.stdout, "data"), ended]);
  ended.catch(() => {});
  return { ms: performance.now() - began, end: () => (child.stdin.end(), exit) };
}

const measured: Record<"new folder" | "known folder" | "beside another", number[]> = {
  "new folder": [],
  "known folder": [],
  "beside another": [],
};
const folder = await mkdtemp(join(tmpdir(), "catalog-bench-stdio-"));
for (let round = 0; round < rounds; round++) {
  const state = join(folder, String(round));
  const cold = await start(state);
  measured["new folder"].push(cold.ms);
  await cold.end();
  const warm = await start(state);
  measured["known folder"].push(warm.ms);
  const second = await start(state);
  measured["beside another"].push(second.ms);
  await second.end();
  await warm.end();
}
await rm(folder, { recursive: true });

if (json) console.log(JSON.stringify(measured));
else {
  const table = plainTable(["answer to initialize, ms", "median", "min-max"]);
  for (const [name, times] of Object.entries(measured)) {
    const sorted = times.map(Math.round).toSorted((a, b) => a - b);
    table.push([name, sorted[Math.floor(sorted.length / 2)] ?? "", `${sorted[0]}-${sorted.at(-1)}`]);
  }
  console.log(table.toString());
}
