import { readFile, readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { readLock } from "../../cli/local/lock-file.ts";

const EVERY_MS = 200;

/** The memory that a process and all processes below it held at once, in bytes; only Linux tells. */
export interface MemoryWatch {
  /** The highest of all samples since the start. */
  peak(): number;
  stop(): Promise<void>;
}

/**
 * Samples the resident memory of a process and of all below it five times a second; with a `name`, only those that run the program
 * of that name.
 */
export function watchMemory(pid: number, name?: string): MemoryWatch {
  const over = new AbortController();
  let highest = 0;
  const watching = (async () => {
    while (!over.signal.aborted) {
      highest = Math.max(highest, await residentBytes(pid, name));
      await sleep(EVERY_MS, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  return {
    peak: () => highest,
    stop: async () => {
      over.abort();
      await watching;
    },
  };
}

/** The resident memory of the runtime that serves a state folder, in bytes; 0 if there is none. */
export async function runtimeBytes(stateDir: string): Promise<number> {
  const [pid] = (await readLock(stateDir))?.runtimes ?? [];
  return pid === undefined ? 0 : ((await statusOf(String(pid)))?.bytes ?? 0);
}

async function residentBytes(root: number, name: string | undefined): Promise<number> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(pids.map(async (pid) => statusOf(pid)));
  const all = found.filter((status) => status !== undefined);
  const tree = new Set([root]);
  // A child may have a lower number than its parent, so the list is read until nothing is added.
  for (let before = 0; before < tree.size;) {
    before = tree.size;
    for (const { pid, parent } of all) if (tree.has(parent)) tree.add(pid);
  }
  return all
    .filter(({ pid, program }) => tree.has(pid) && (name === undefined || program === name))
    .reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Undefined if the process has ended. */
async function statusOf(pid: string) {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const valueOf = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(text)?.[1];
  return {
    pid: Number(pid),
    parent: Number(valueOf("PPid")),
    program: valueOf("Name"),
    bytes: Number(valueOf("VmRSS") ?? 0) * 1024,
  };
}
