import { setTimeout as sleep } from "node:timers/promises";
import { type LocalServer, StateInUseError, findServer, startServer } from "../local/server.ts";
import { fillNewState } from "../sample/fill-new-state.ts";
import { ANSWER_MS, type Call, UnreachableError } from "./call.ts";

export interface KeptServer {
  /** The first server, once it answers. */
  ready: Promise<LocalServer>;
  call: Call;
  close(): Promise<void>;
}

const PAUSE_MS = 50;

/**
 * Keeps a server available: the one that runs on a state folder, or its own, and a new one when that is gone.
 */
export function keepServer(stateDir: string, log: (line: string) => void): KeptServer {
  const ready = acquire(stateDir, log);
  let current = ready;

  /** The first call that finds the server gone starts the next. */
  const renew = (gone: Promise<LocalServer>) => {
    if (current !== gone) return;
    current = gone
      .then((server) => server.close())
      .then(
        () => acquire(stateDir, log),
        () => acquire(stateDir, log),
      );
    // The next call reports the error.
    current.catch(() => {});
  };

  return {
    ready,
    async call(body, headers, signal) {
      for (let tries = 1; ; tries++) {
        const asked = current;
        try {
          const server = await asked;
          const timed = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
          const response = await server.callMcp(body, { headers, signal: timed });
          const answer = {
            status: response.status,
            contentType: response.headers.get("content-type") ?? "",
            text: await response.text(),
          };
          if (answer.status !== 401) return answer;
          // Another server with another key listens at the same address.
          renew(asked);
        } catch (error) {
          if (signal.aborted) throw error;
          log(`The server is gone: ${reasonOf(error)}`);
          renew(asked);
          if (!isRefused(error)) throw new UnreachableError("gone", { cause: error });
        }
        // A call that was not let in cannot have been carried out, so it is sent again.
        if (tries === 2) throw new UnreachableError("not let in");
      }
    },
    // A server that failed to start has nothing to close.
    close: () => current.then((server) => server.close()).catch(() => {}),
  };
}

async function acquire(stateDir: string, log: (line: string) => void): Promise<LocalServer> {
  for (;;) {
    try {
      const own = await startServer({
        stateDir,
        onLog: log,
        prepare: async (server) => {
          await fillNewState(server, stateDir);
        },
      });
      log(`The Worker runs here: ${own.url}/mcp`);
      return own;
    } catch (error) {
      if (!(error instanceof StateInUseError)) throw error;
    }
    const running = await findServer(stateDir);
    if (running !== undefined) {
      log(`Connected to the running server: ${running.url}/mcp`);
      return running;
    }
    await sleep(PAUSE_MS);
  }
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? (error.cause ?? error) : error);
const reasonOf = (error: unknown): string => {
  const cause = causeOf(error);
  return cause instanceof Error ? cause.message : String(cause);
};
const isRefused = (error: unknown): boolean => {
  const cause = causeOf(error);
  return cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
};
