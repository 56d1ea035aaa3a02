// stdio: the server over standard input and output, for Claude Desktop and agents on this machine.

import { setTimeout as sleep } from "node:timers/promises";
import { commandOf } from "./command.ts";
import { DEFAULT_STATE_DIR } from "./local/server.ts";
import { endWithReader } from "./stdio/end-with-reader.ts";

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
endWithReader();

// Loaded after the command is set up: these modules read policy.json, and the command reports it if that is
// not JSON.
const { serveStdio } = await import("./stdio/serve.ts");
const { keepServer } = await import("./stdio/keep-server.ts");

const server = keepServer(stateDir, (line) => console.error(line));
server.ready.catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
});

// A first start fills a new folder with the sample, which takes longer than any call.
await serveStdio((...asked) => server.call(...asked), server.ready);
await sleep(SETTLE_MS);
await server.close();
process.exit(0);
