import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type LocalServer, StateInUseError, findServer } from "../../cli/local/server.ts";

/** The development server of a checkout, which may be another than this one, as a process of its own. */
export interface CheckoutServer extends LocalServer {
  pid: number;
  /** Starts an import of the checkout into this server. */
  importFile(file: string): { pid: number; done: Promise<void> };
}

/** Starts `dev` of a checkout, with its packages installed, on a state folder. */
export async function startCheckout(checkout: string, stateDir: string): Promise<CheckoutServer> {
  const dev = start(checkout, ["dev", "--state", stateDir, "--port", "0"]);
  const server = await serverOf(dev, checkout, stateDir);
  return {
    ...server,
    pid: idOf(dev),
    importFile(file) {
      const command = start(checkout, ["import", file, "--state", stateDir, "--json"]);
      const done = async () => {
        const [code] = await once(command, "exit");
        if (code !== 0) throw new Error(`The import of ${checkout} ended with ${String(code)}.`);
      };
      return { pid: idOf(command), done: done() };
    },
    async close() {
      dev.kill("SIGINT");
      if (dev.exitCode === null) await once(dev, "exit");
    },
  };
}

/** Waits for a server, which may take long to start on a busy machine. */
async function serverOf(dev: ChildProcess, checkout: string, stateDir: string): Promise<LocalServer> {
  for (;;) {
    if (dev.exitCode !== null) throw new Error(`The server of ${checkout} did not start.`);
    const server = await findServer(stateDir).catch((error: unknown) => {
      if (!(error instanceof StateInUseError)) throw error;
    });
    if (server !== undefined) return server;
    await sleep(100);
  }
}

function start(checkout: string, args: string[]): ChildProcess {
  return spawn(process.execPath, [join(checkout, "bin/product-catalog-mcp.mjs"), ...args], {
    cwd: checkout,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function idOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error("The process did not start.");
  return pid;
}
