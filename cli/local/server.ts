import { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { Statement } from "../../src/database/statement.ts";
import { isListening, readLock, takeLock } from "./lock-file.ts";
import { localSecret } from "./secret.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Where wrangler keeps local state by default, so that `npx wrangler dev` sees the same catalog. */
export const DEFAULT_STATE_DIR = `${ROOT}.wrangler/state`;
const HOST = "127.0.0.1";
const START_TIMEOUT_MS = 30_000;

export type Row = Record<string, unknown>;

export interface LocalServer {
  /** Without a trailing slash. */
  url: string;
  /** Runs statements as one atomic batch; gives the rows of each. */
  batch(statements: Statement[]): Promise<Row[][]>;
  close(): Promise<void>;
}

export interface ServerOptions {
  stateDir?: string;
  /** 0 takes a free one. */
  port?: number;
  watch?: boolean;
  /** The Worker to run, from the root of the repository; the product with its local door by default. */
  entrypoint?: string;
  vars?: Record<string, string>;
  onLog?: (line: string) => void;
}

/** The state folder is in use by another process of this project. */
export class StateInUseError extends Error {
  constructor(url: string | null) {
    super(
      `The local state is in use by a server${url === null ? " that is starting" : ` at ${url}`}. Use that one, or stop it.`,
    );
  }
}

/** Starts the Worker on this machine, in this process, and holds the state folder's lock. */
export async function startServer(options: ServerOptions = {}): Promise<LocalServer> {
  const { stateDir = DEFAULT_STATE_DIR, port = 0, watch = false, vars = {}, onLog } = options;
  const { entrypoint = "src/local/worker.ts" } = options;
  // wrangler would wait for the port without a word.
  if (port !== 0 && (await isListening(`http://${HOST}:${port}`))) {
    const holder = (await readLock(stateDir))?.url ?? null;
    if (holder?.endsWith(`:${port}`) === true) throw new StateInUseError(holder);
    throw new Error(`Port ${port} is in use. Choose another: npm run dev -- --port ${port + 1}`);
  }
  const lock = await takeLock(stateDir);
  if (lock === undefined) throw new StateInUseError((await readLock(stateDir))?.url ?? null);

  // Offline and quiet: no look-up of a sample request.cf, no metrics, no update notice.
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
  process.env["WRANGLER_SEND_METRICS"] = "false";
  process.env["WRANGLER_HIDE_BANNER"] = "true";
  // wrangler's explorer would be a second door to the database, without a key.
  process.env["X_LOCAL_EXPLORER"] = "false";
  // Loaded here: it takes a second, and a command that finds a server needs none of it.
  const { unstable_startWorker: startWorker } = await import("wrangler");
  const plainText = (value: string) => ({ type: "plain_text", value }) as const;
  // The lock names the runtime's processes: a later holder ends what a killed one left behind. One of
  // them starts after `ready`, and others with every reload.
  const runtimes = new Set<number>();
  let publish = async () => {};
  const noteChild = (message: unknown) => {
    if (typeof message !== "object" || message === null || !("process" in message)) return;
    const { process: child } = message;
    if (!(child instanceof ChildProcess)) return;
    child.once("spawn", () => {
      const { pid, spawnfile } = child;
      if (pid === undefined || !spawnfile.includes("workerd")) return;
      runtimes.add(pid);
      child.once("exit", () => runtimes.delete(pid));
      publish().catch(() => {});
    });
  };
  subscribe("child_process", noteChild);
  const worker = await startWorker({
    config: `${ROOT}wrangler.toml`,
    entrypoint: `${ROOT}${entrypoint}`,
    bindings: {
      SECRET_KEY: plainText(await localSecret(stateDir)),
      ...Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, plainText(value)])),
      LOCAL_KEY: plainText(lock.key),
    },
    dev: {
      remote: false,
      server: { hostname: HOST, port },
      inspector: false,
      watch,
      logLevel: "error",
      persist: stateDir,
      ...(onLog && { structuredLogsHandler: ({ message }: { message: string }) => onLog(message) }),
    },
  });
  const close = async () => {
    unsubscribe("child_process", noteChild);
    publish = async () => {};
    await worker.dispose();
    lock.release();
  };
  try {
    await worker.ready;
    const url = (await worker.url).origin;
    publish = () => lock.publish(url, [...runtimes]);
    await publish();
    return { url, batch: (statements) => sendBatch(url, lock.key, statements), close };
  } catch (error) {
    // The runtime would keep this process alive.
    await close();
    throw error;
  }
}

/**
 * Hands `work` the server that already runs on the state folder, or one of its own that stops
 * afterwards. Nothing else may open the folder.
 */
export async function withServer<T>(
  options: Pick<ServerOptions, "stateDir">,
  work: (server: LocalServer) => Promise<T>,
): Promise<T> {
  const { stateDir = DEFAULT_STATE_DIR } = options;
  const running = await findServer(stateDir);
  if (running !== undefined) return work(running);
  const server = await startServer({ stateDir });
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

/** The server that runs on a state folder, once it has started; undefined where there is none. */
export async function findServer(stateDir: string = DEFAULT_STATE_DIR): Promise<LocalServer | undefined> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const lock = await readLock(stateDir);
    if (lock === undefined) return undefined;
    const { url, key } = lock;
    if (url !== null) {
      return { url, batch: (statements) => sendBatch(url, key, statements), close: async () => {} };
    }
    if (Date.now() > deadline) throw new StateInUseError(null);
    await sleep(100);
  }
}

const answerSchema = z.union([
  z.object({ results: z.array(z.array(z.record(z.string(), z.unknown()))) }),
  z.object({ error: z.string() }),
]);

async function sendBatch(url: string, key: string, statements: Statement[]): Promise<Row[][]> {
  const response = await fetch(`${url}/__local/database`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ statements }),
  });
  const answer = answerSchema.parse(await response.json());
  if ("error" in answer) throw new Error(`The local database refused: ${answer.error}`);
  return answer.results;
}
