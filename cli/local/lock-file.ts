import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { PROOF_PATH, proofOf } from "../../src/local/proof.ts";
import { endLeftover, isProcess } from "./processes.ts";

// Two runtimes on one state folder fail with SQLITE_BUSY and keep separate memory, which doubles every limit.
// The lock file names the one runtime that holds the folder, and carries the key to its local endpoints.

const contentsSchema = z.object({
  pid: z.int(),
  /** Null while the server starts. */
  url: z.string().nullable(),
  /** Process ids of its runtimes, which outlive a holder that is killed. */
  runtimes: z.array(z.int()),
  /** Process ids of its bundlers, of which some outlive it too. */
  bundlers: z.array(z.int()).default([]),
  /** The key to the local endpoints of src/local/worker.ts. */
  key: z.string(),
});
export type LockContents = z.output<typeof contentsSchema>;

export interface HeldLock {
  key: string;
  /** `url` is null while the server starts. */
  publish(url: string | null, children: Pick<LockContents, "runtimes" | "bundlers">): Promise<void>;
  release(): void;
}

const PROBE_MS = 1_000;
const SETTLE_MS = 50;
/** No start takes longer. A process that was killed while it started leaves a lock without a URL. */
const START_MS = 5 * 60_000;
/** A crashed runtime is restarted by its process at the same URL. */
const RESTART_MS = 3_000;
const lockPath = (stateDir: string) => join(stateDir, "product-catalog.lock");

/**
 * Returns the lock's contents if its holder lives: the process, or a runtime that a killed process left
 * behind.
 */
export async function readLock(stateDir: string): Promise<LockContents | undefined> {
  return (await judge(lockPath(stateDir))).holder;
}

/** Returns the lock file's text, its contents, and these as the holder if it lives. */
async function judge(
  path: string,
): Promise<{ text: string; contents?: LockContents; holder?: LockContents }> {
  const deadline = Date.now() + RESTART_MS;
  for (;;) {
    const text = await read(path);
    const contents = parseContents(text);
    if (contents === undefined) return { text };
    const { pid, url, key } = contents;
    // A URL is better evidence than a process id, which another process may have by now.
    if (url === null ? await isStarting(path, pid) : await isServedBy(url, key))
      return { text, contents, holder: contents };
    if (url === null || !isProcess(pid) || Date.now() > deadline) return { text, contents };
    await sleep(SETTLE_MS);
  }
}

/** Whether a process may still be starting: it existed when the lock was made, and the lock is recent. */
async function isStarting(path: string, pid: number): Promise<boolean> {
  const madeAt = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  // In a container, this process often has the same id as its predecessor.
  const isOlder = pid === process.pid && madeAt < Date.now() - process.uptime() * 1000;
  return isProcess(pid) && !isOlder && Date.now() - madeAt < START_MS;
}

/**
 * Whether the server at a URL knows the key; after a reboot another program may listen there. A server too
 * busy to answer counts.
 */
async function isServedBy(url: string, key: string): Promise<boolean> {
  if (!(await isListening(url))) return false;
  const nonce = randomBytes(16).toString("base64url");
  try {
    const answer = await fetch(`${url}${PROOF_PATH}?nonce=${nonce}`, {
      signal: AbortSignal.timeout(PROBE_MS),
    });
    return (await answer.text()) === proofOf(nonce, key);
  } catch (error) {
    return error instanceof Error && error.name === "TimeoutError";
  }
}

const read = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/** Takes the lock, or returns undefined if another process holds it. A dead holder's lock is taken over. */
export async function takeLock(stateDir: string): Promise<HeldLock | undefined> {
  const path = lockPath(stateDir);
  const contents: LockContents = {
    pid: process.pid,
    url: null,
    runtimes: [],
    bundlers: [],
    key: randomBytes(32).toString("base64url"),
  };
  await mkdir(dirname(path), { recursive: true });
  if (!(await create(path, contents))) {
    const { text, contents: last, holder } = await judge(path);
    if (holder !== undefined && isProcess(holder.pid)) return undefined;
    // Another process may have taken it meanwhile.
    if ((await read(path)) !== text) return undefined;
    for (const pid of holder?.runtimes ?? []) await endLeftover(pid, "workerd");
    for (const pid of last?.bundlers ?? []) await endLeftover(pid, "esbuild");
    await rm(path, { force: true });
    if (!(await create(path, contents))) return undefined;
    // Another process that found the same dead lock may just have removed ours, so wait briefly and read it
    // again.
    await sleep(SETTLE_MS);
    if ((await readLock(stateDir))?.key !== contents.key) return undefined;
  }
  const release = () => {
    if (existsSync(path) && parseContents(readFileSync(path, "utf8"))?.key === contents.key) rmSync(path);
  };
  // This also runs on a signal: Miniflare's exit hook ends the process before any asynchronous clean-up.
  process.once("exit", release);
  let published = Promise.resolve();
  return {
    key: contents.key,
    publish(url, children) {
      // One after the other: the last must stay.
      const write = async () => rename(await writeDraft(path, { ...contents, url, ...children }), path);
      published = published.then(write, write);
      return published;
    },
    release() {
      process.off("exit", release);
      release();
    },
  };
}

/** The file is written under another name and linked, so that the lock appears whole or not at all. */
async function create(path: string, contents: LockContents): Promise<boolean> {
  const draft = await writeDraft(path, contents);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft);
  }
}

let drafts = 0;

/** Each draft has a name of its own: one process may try to take a lock while it publishes it. */
async function writeDraft(path: string, contents: LockContents): Promise<string> {
  const draft = `${path}.${process.pid}.${drafts++}`;
  await writeFile(draft, JSON.stringify(contents), { mode: 0o600 });
  return draft;
}

/** Whether a server accepts connections at a URL's host and port. */
export function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = new Socket().setTimeout(PROBE_MS);
    const settle = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket
      .once("connect", () => settle(true))
      .once("timeout", () => settle(false))
      .once("error", () => settle(false))
      .connect(Number(port), hostname);
  });
}

function parseContents(text: string): LockContents | undefined {
  try {
    const parsed = contentsSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
