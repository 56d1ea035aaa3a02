import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

export interface Ended {
  /** The exit code; null if a signal ended the process. */
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  pid: number;
  /**
   * Resolves when the process has ended and its output is closed; a surviving child may hold the output open.
   */
  ended: Promise<Ended>;
  exited: Promise<unknown>;
  isOver(): boolean;
  /** Its output and its errors until now. */
  printed(): string;
  kill(signal: NodeJS.Signals): void;
  /** Waits until it has printed a text; throws if it ends before. */
  prints(text: string): Promise<void>;
}

export interface StartOptions {
  input?: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;
  /** Starts it in its own process group, which `groupMembers` and `endGroups` use. */
  ownGroup?: boolean;
  /** Variables added to this process's own. */
  env?: Record<string, string>;
  /** The folder to run in. */
  cwd?: string;
}

const groups = new Set<number>();

export function start(command: string, args: string[], options: StartOptions = {}): Running {
  const { input, ownGroup = false, env, cwd } = options;
  const child = spawn(command, args, {
    detached: ownGroup,
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env, NO_COLOR: "1" },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} does not start`);
  if (ownGroup) groups.add(pid);
  const printed = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (printed.stderr += text));
  feed(child, input);
  return {
    pid,
    ended: endOf(child).then((code) => ({ code, ...printed })),
    exited: once(child, "exit"),
    isOver: () => child.exitCode !== null || child.signalCode !== null,
    printed: () => `${printed.stdout}\n${printed.stderr}`,
    kill: (signal) => child.kill(signal),
    async prints(text) {
      const closed = once(child, "close");
      while (!printed.stdout.includes(text)) {
        if (child.exitCode !== null) throw new Error(`${args.join(" ")} ended: ${printed.stderr}`);
        await Promise.race([once(child.stdout, "data"), closed]);
      }
    },
  };
}

export const BIN = "bin/product-catalog-mcp.mjs";

/** Starts a command by its name in cli/commands.ts. */
export const startCommand = (name: string, args: string[], options?: StartOptions): Running =>
  start(process.execPath, [BIN, ...name.split(" "), ...args], options);

/** Waits for the exit code; a hanging command fails the test and not the whole run. */
export async function within(milliseconds: number, running: Running): Promise<Ended> {
  const timer = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`still runs after ${milliseconds} ms, and has printed: ${running.printed()}`);
  });
  try {
    return await Promise.race([running.ended, late]);
  } finally {
    late.catch(() => {});
    timer.abort();
  }
}

/** Returns the names of the live processes in a group; zombies do not count. */
export async function groupMembers(group: number): Promise<string[]> {
  const all = process.platform === "linux" ? await processesOfLinux() : await processesByPs();
  return all.filter((each) => each.group === group && !each.state.startsWith("Z")).map(({ name }) => name);
}

interface Process {
  name: string;
  state: string;
  group: number;
}

/**
 * proc(5): a bare Debian has no ps. The name stands in brackets, and may contain spaces and brackets itself.
 */
async function processesOfLinux(): Promise<Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  // Some processes end while they are read.
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")));
  return stats.flatMap((stat) => {
    const [, name = "", state = "", group = ""] = /\((.*)\) (\S) \d+ (\d+)/s.exec(stat) ?? [];
    return name === "" ? [] : [{ name, state, group: Number(group) }];
  });
}

/** macOS has ps. Windows has no process groups. */
async function processesByPs(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pgid=,stat=,comm="]);
  return stdout.split("\n").map((line) => {
    const [group = "", state = "", ...name] = line.trim().split(/\s+/);
    return { name: basename(name.join(" ")), state, group: Number(group) };
  });
}

/** Ends everything that `start` left running in its own groups, including runtimes of killed commands. */
export async function endGroups(): Promise<void> {
  for (const group of groups) {
    while ((await groupMembers(group)).length > 0) {
      process.kill(-group, "SIGKILL");
      await sleep(50);
    }
  }
  groups.clear();
}

function feed({ stdin }: ChildProcess, input: StartOptions["input"] = []): void {
  // A command that stops early closes the pipe; its exit code says why.
  if (stdin !== null) pipeline(Readable.from(input), stdin).catch(() => {});
}

async function endOf(child: ChildProcess): Promise<number | null> {
  await once(child, "close");
  return child.exitCode;
}
