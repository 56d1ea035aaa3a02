import { once } from "node:events";
import { Worker } from "node:worker_threads";
import * as z from "zod";
import type { Ended } from "./processes.ts";

/** One command of cli/commands.ts for the thread. */
export interface Asked {
  name: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** Standard input, which ends after it. */
  input: (string | Uint8Array)[];
}

export interface RunOptions {
  input?: Asked["input"];
  /** Variables added to this process's own. */
  env?: Record<string, string>;
}

const LIMIT_MS = 50_000;
const endedSchema = z.object({ code: z.int(), stdout: z.string(), stderr: z.string() });
let thread: Worker | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a command of cli/commands.ts to its end, in a thread where its modules are loaded already: a process needs a second to load
 * them. A test of signals, of pipes or of several commands at once starts a process instead (`startCommand`).
 */
export function runCommand(name: string, args: string[], options: RunOptions = {}): Promise<Ended> {
  const { input = [], env = {} } = options;
  const ended = last.then(() =>
    runInThread({ name, args, input: input.map(whole), env: { ...process.env, ...env, NO_COLOR: "1" } }),
  );
  last = ended.catch(() => {});
  return ended;
}

/** A Buffer may show a part of shared memory, which would be copied whole. */
const whole = (part: string | Uint8Array) => (typeof part === "string" ? part : new Uint8Array(part));

async function runInThread(asked: Asked): Promise<Ended> {
  const running = (thread ??= new Worker(new URL("command-thread.ts", import.meta.url), { execArgv: [] }));
  running.ref();
  try {
    const answer = once(running, "message", { signal: AbortSignal.timeout(LIMIT_MS) });
    running.postMessage(asked);
    return endedSchema.parse((await answer)[0]);
  } catch (error) {
    thread = undefined;
    await running.terminate();
    throw error;
  } finally {
    // The end of the tests need not wait for the thread.
    running.unref();
  }
}
