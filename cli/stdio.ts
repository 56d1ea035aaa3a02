// stdio: the server over standard input and output, for Claude Desktop and agents on this machine.

import { setTimeout as sleep } from "node:timers/promises";
import { commandOf } from "./command.ts";
import { DEFAULT_STATE_DIR } from "./local/server.ts";
import { oneLine } from "../src/text/json-line.ts";
import { readLines } from "./stdio/lines.ts";

/** Lines handled at once; further lines wait in the pipe. */
const IN_FLIGHT_MAX = 64;
/** Milliseconds that calls may run after the input ends. */
const DRAIN_MS = 10_000;
/** Answers leave before the audit has their outcome, so the exit waits this long. */
const SETTLE_MS = 100;

const { state: stateDir } = commandOf("stdio")
  .description(
    "Speak MCP over standard input and output, one JSON-RPC message per line. It uses the server that runs on the state folder (npm run dev), or starts its own. The log goes to standard error.",
  )
  .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
  .parse()
  .opts<{ state: string }>();

// Registered before other handlers, which exit with another code. The lock and the runtime are released on
// `exit`.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(0));
// The reader is gone.
process.stdout.on("error", () => process.exit(0));

// Loaded after the command is set up: these modules read policy.json, and the command reports it if that is
// not JSON.
const { LINE_MAX, createBridge } = await import("./stdio/bridge.ts");
const { keepServer } = await import("./stdio/keep-server.ts");

const write = (message: unknown) =>
  new Promise<void>((resolve) => {
    process.stdout.write(`${oneLine(JSON.stringify(message))}\n`, () => resolve());
  });

const server = keepServer(stateDir, (line) => console.error(line));
server.ready.catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});

const take = createBridge((...asked) => server.call(...asked), write);
const inFlight = new Set<Promise<void>>();
for await (const line of readLines(process.stdin, LINE_MAX)) {
  const taken = take(line).finally(() => inFlight.delete(taken));
  inFlight.add(taken);
  if (inFlight.size >= IN_FLIGHT_MAX) await Promise.race(inFlight);
}
// A first start fills a new folder with the sample, which takes longer than any call.
await server.ready.catch(() => {});
await Promise.race([Promise.all(inFlight), sleep(DRAIN_MS)]);
await sleep(SETTLE_MS);
await server.close();
process.exit(0);
