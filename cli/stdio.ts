// npm run -s stdio: the server over standard input and output, for Claude Desktop and agents on this machine.

import { setTimeout as sleep } from "node:timers/promises";
import { commandOf } from "./command.ts";
import { DEFAULT_STATE_DIR } from "./local/server.ts";
import { readLines } from "./stdio/lines.ts";

/** Lines under way; the next are left in the pipe. */
const UNDER_WAY_MAX = 64;
/** How long calls may go on once there is no more input. */
const DRAIN_MS = 10_000;
/** Answers leave before the audit has their outcome. */
const SETTLE_MS = 100;

const { state: stateDir } = commandOf("product-catalog-mcp")
  .description(
    "Speak MCP over standard input and output, one JSON-RPC message a line, to the server that runs on the state folder (npm run dev), or to one of its own. Its log goes to standard error.",
  )
  .option("--state <folder>", "where the local database lives", DEFAULT_STATE_DIR)
  .parse()
  .opts<{ state: string }>();

// Before anybody else's handlers, which end with another code. What must not be left behind, the lock
// and the runtime, goes on `exit`.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(0));
// Nobody reads any more.
process.stdout.on("error", () => process.exit(0));

// Not before the command is there to say it: what is wrong with policy.json as JSON is known while these load.
const { LINE_MAX, createBridge } = await import("./stdio/bridge.ts");
const { keepServer } = await import("./stdio/keep-server.ts");

const write = (message: unknown) =>
  new Promise<void>((resolve) => {
    process.stdout.write(`${JSON.stringify(message)}\n`, () => resolve());
  });

const server = keepServer(stateDir, (line) => console.error(line));
server.ready.catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});

const take = createBridge((...asked) => server.call(...asked), write);
const underWay = new Set<Promise<void>>();
for await (const line of readLines(process.stdin, LINE_MAX)) {
  const taken = take(line).finally(() => underWay.delete(taken));
  underWay.add(taken);
  if (underWay.size >= UNDER_WAY_MAX) await Promise.race(underWay);
}
await Promise.race([Promise.all(underWay), sleep(DRAIN_MS)]);
await sleep(SETTLE_MS);
await server.close();
process.exit(0);
