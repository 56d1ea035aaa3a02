// wrangler runs this before it builds (wrangler.toml). For `wrangler dev` it fills a new state folder with the sample, as
// npm run dev does. It changes no code, so nothing of it can get into a deployed Worker.

import { existsSync } from "node:fs";
import { demoKeysPath } from "./local/demo-keys.ts";
import { DEFAULT_STATE_DIR, findServer, startServer } from "./local/server.ts";
import { noteWranglerDev } from "./local/wrangler-dev.ts";

// wrangler's test harness builds as `wrangler dev` does, and uses no state folder.
const isDev = process.env["WRANGLER_COMMAND"] === "dev" && (process.env["VITEST"] ?? "") === "";

try {
  if (isDev) await prepareState(DEFAULT_STATE_DIR);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function prepareState(stateDir: string): Promise<void> {
  const running = await findServer(stateDir);
  // A change of a file while wrangler dev runs.
  if (running?.kind === "wrangler") return;
  if (running !== undefined)
    throw new Error(`npm run dev uses the local state, at ${running.url}. Use it, or stop it first.`);
  if (!existsSync(demoKeysPath(stateDir))) {
    console.log("Filling the local database with the sample catalog and support desk…");
    // Loaded only here, because it takes a while.
    const { fillNewState } = await import("./sample/fill-new-state.ts");
    const server = await startServer({
      stateDir,
      prepare: async (started) => {
        await fillNewState(started, stateDir);
      },
    });
    await server.close();
  }
  await noteWranglerDev(stateDir);
  console.log(`The demo users' access keys are in ${demoKeysPath(stateDir)}`);
}
