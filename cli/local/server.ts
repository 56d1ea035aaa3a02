import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { Statement } from "../../src/database/statement.ts";
import type { Engine } from "./engine.ts";
import { isListening, readLock, takeLock } from "./lock-file.ts";
import { type Program, followProgram } from "./child-programs.ts";
import { olderSecret } from "./older-secret.ts";
import { findWranglerDev } from "./wrangler-dev.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** wrangler's default folder for local state, so that `npx wrangler dev` sees the same catalog. */
export const DEFAULT_STATE_DIR = `${ROOT}.wrangler/state`;
/** The error of a command that needs a running server. */
export const NO_SERVER =
  "No server runs on this machine. Start one with npm run dev or npx wrangler dev, or give --url.";
const HOST = "127.0.0.1";
const START_TIMEOUT_MS = 30_000;

export type Row = Record<string, unknown>;

export interface LocalServer {
  /** `own`: npm run dev, or a command's own server. `wrangler`: npx wrangler dev. */
  kind: "own" | "wrangler";
  /** Without a trailing slash. */
  url: string;
  /** Runs statements as one atomic batch; returns the rows of each. */
  batch(statements: Statement[]): Promise<Row[][]>;
  /** Posts a body to the MCP endpoint as the principal `local`. */
  callMcp(body: string, init: { headers: Record<string, string>; signal: AbortSignal }): Promise<Response>;
  close(): Promise<void>;
}

export interface ServerOptions {
  stateDir?: string;
  /** 0 picks a free port. */
  port?: number;
  /**
   * Rebuilds and restarts the Worker after each change of its files. While the build fails, every request
   * gets 503 with the reason, and `prepare` waits for the first build that works.
   */
  watch?: boolean;
  /** The Worker to run, relative to the repository; by default the product with its local endpoints. */
  entrypoint?: string;
  vars?: Record<string, string>;
  /** Lets http servers on this machine stand for shopping agents' servers (src/validation/public-url.ts); for tests. */
  loopbackAgents?: boolean;
  onLog?: (line: string) => void;
  /** Runs before the port is open and other processes find the server. */
  prepare?: (server: LocalServer) => Promise<void>;
  /** Runs each time the port is opened for the prepared Worker: once, and after each change of its files. */
  onReady?: (url: string) => void;
  /** Receives sentences about failed builds and restarts, for the person who started the server. */
  onNotice?: (text: string) => void;
  /** Receives the error that ended the server after it had started. */
  onFailure?: (error: unknown) => void;
}

/** The state folder is in use by another process of this project. */
export class StateInUseError extends Error {
  constructor(url: string | null) {
    super(
      `The local state is in use by a server${url === null ? " that is starting" : ` at ${url}`}. Use that server, or stop it.`,
    );
  }
}

/** The server ended or restarted before it answered. It may have done what it was asked. */
export class ServerLostError extends Error {
  constructor(url: string, cause: unknown) {
    super(`The server at ${url} ended or restarted before it answered. Run the same command again.`, {
      cause,
    });
  }
}

/** Starts the Worker in this process, and holds the state folder's lock. */
export async function startServer(options: ServerOptions = {}): Promise<LocalServer> {
  const { stateDir = DEFAULT_STATE_DIR, port = 0, watch = false, vars = {}, onLog, prepare } = options;
  const { entrypoint = "src/local/worker.ts", onReady, onNotice = () => {}, onFailure = () => {} } = options;
  if (stateDir === DEFAULT_STATE_DIR) {
    const running = await findWranglerDev(stateDir);
    if (running !== undefined) throw new StateInUseError(running.url);
  }
  // The lock comes before the port check: its last holder may have been killed, and its runtime may still
  // listen there.
  const lock = await takeLock(stateDir);
  if (lock === undefined) throw new StateInUseError((await readLock(stateDir))?.url ?? null);
  // workerd would report it as a stack.
  if (port !== 0 && (await isListening(`http://${HOST}:${port}`))) {
    lock.release();
    throw new Error(`Port ${port} is in use. Choose another: npm run dev -- --port ${port + 1}`);
  }

  // The lock names the processes that this one starts, so that a later holder can end what a killed one left behind.
  const children: { runtimes: number[]; bundlers: number[] } = { runtimes: [], bundlers: [] };
  let publish = async () => {};
  const follow = (name: keyof typeof children, program: Program) =>
    followProgram(program, (pids) => {
      children[name] = pids;
      publish().catch(() => {});
    });
  const unfollows = [follow("runtimes", "workerd"), follow("bundlers", "esbuild")];
  const publishAt = async (url: string | null) => {
    publish = () => lock.publish(url, children);
    await publish();
  };
  let isPrepared = false;
  let engine: Engine | undefined;
  const close = async () => {
    for (const unfollow of unfollows) unfollow();
    publish = async () => {};
    await engine?.close();
    lock.release();
  };
  try {
    // Commands that find a running server need no bundler.
    const { startEngine } = await import("./engine.ts");
    engine = await startEngine({
      config: `${ROOT}wrangler.toml`,
      entrypoint: `${ROOT}${entrypoint}`,
      stateDir,
      host: HOST,
      port,
      vars: {
        ...(await olderSecret(stateDir)),
        ...vars,
        LOCAL_KEY: lock.key,
        LOOPBACK_AGENTS: options.loopbackAgents === true ? "on" : "off",
      },
      watch,
      async prepare(url) {
        // The server was published with a failed build, and this build replaces it on its port.
        await publishAt(null);
        await prepare?.(connect(url, lock.key, close));
        isPrepared = true;
      },
      async onOpen(url) {
        await publishAt(url);
        if (isPrepared) onReady?.(url);
      },
      onLog,
      onNotice,
      onFailure,
    });
    return connect(engine.url, lock.key, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Runs `work` with the server that already uses the state folder, or with a temporary one. Nothing else may
 * open the folder.
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

/** Returns the started server of a state folder, or undefined if there is none. */
export async function findServer(stateDir: string = DEFAULT_STATE_DIR): Promise<LocalServer | undefined> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const lock = await readLock(stateDir);
    // wrangler dev takes no lock, and uses the default folder.
    if (lock === undefined) return stateDir === DEFAULT_STATE_DIR ? findWranglerDev(stateDir) : undefined;
    const { url, key } = lock;
    if (url !== null) return connect(url, key, async () => {});
    if (Date.now() > deadline) throw new StateInUseError(null);
    await sleep(100);
  }
}

const answerSchema = z.union([
  z.object({ results: z.array(z.array(z.record(z.string(), z.unknown()))) }),
  z.object({ error: z.string() }),
]);

/** Calls the local endpoints of src/local/worker.ts with the lock's key. */
function connect(url: string, key: string, close: () => Promise<void>): LocalServer {
  const authorization = `Bearer ${key}`;
  return {
    kind: "own",
    url,
    close,
    async batch(statements) {
      const response = await fetch(`${url}/__local/database`, {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify({ statements }),
      }).catch((error: unknown) => {
        throw new ServerLostError(url, error);
      });
      const answer = answerSchema.parse(await response.json());
      if ("error" in answer) throw new Error(`The local database refused: ${answer.error}`);
      return answer.results;
    },
    callMcp: (body, { headers, signal }) =>
      fetch(`${url}/__local/mcp`, { method: "POST", headers: { ...headers, authorization }, body, signal }),
  };
}
