import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";

// Two runtimes on one state folder fail with SQLITE_BUSY and keep a memory each, which doubles every
// limit. The lock file names the one runtime that holds the folder, and carries the key to its door.

const contentsSchema = z.object({
  pid: z.int(),
  /** Null while the server starts. */
  url: z.string().nullable(),
  /** Opens the local database's door (src/local/worker.ts). */
  key: z.string(),
});
export type LockContents = z.output<typeof contentsSchema>;

export interface HeldLock {
  key: string;
  publish(url: string): Promise<void>;
  release(): void;
}

const lockPath = (stateDir: string) => join(stateDir, "product-catalog.lock");

/** The lock's contents where a living process holds it. */
export async function readLock(stateDir: string): Promise<LockContents | undefined> {
  const text = await readFile(lockPath(stateDir), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = contentsSchema.safeParse(parseJson(text));
  return parsed.success && isAlive(parsed.data.pid) ? parsed.data : undefined;
}

/** Takes the lock, or gives undefined where a living process holds it. A dead one's lock is taken over. */
export async function takeLock(stateDir: string): Promise<HeldLock | undefined> {
  const path = lockPath(stateDir);
  const contents: LockContents = { pid: process.pid, url: null, key: randomBytes(32).toString("base64url") };
  await mkdir(dirname(path), { recursive: true });
  if (!(await create(path, contents))) {
    if ((await readLock(stateDir)) !== undefined) return undefined;
    await rm(path, { force: true });
    if (!(await create(path, contents))) return undefined;
  }
  const release = () => rmSync(path, { force: true });
  // Also on a signal: Miniflare's exit hook ends the process before any asynchronous clean-up.
  process.once("exit", release);
  return {
    key: contents.key,
    async publish(url) {
      // Written beside and renamed, so that no reader sees half of it.
      const draft = `${path}.${process.pid}`;
      await writeFile(draft, JSON.stringify({ ...contents, url }), { mode: 0o600 });
      await rename(draft, path);
    },
    release() {
      process.off("exit", release);
      release();
    },
  };
}

async function create(path: string, contents: LockContents): Promise<boolean> {
  try {
    await using file = await open(path, "wx", 0o600);
    await file.writeFile(JSON.stringify(contents));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
