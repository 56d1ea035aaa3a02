import { mkdtempSync, rmSync, statfsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";

// Loaded by vitest.config.ts: settings of the machine that every process of a run inherits and that change how fast
// files are, never what a test sees.

const MEMORY = "/dev/shm";
/** A container may have as little as 64 MB there. */
const FREE_MIN_BYTES = 2 * 1024 ** 3;

/** Returns the free bytes of a file system; 0 if there is none. */
function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

// A new Durable Object is a new SQLite file, for which a disk syncs several times; memory does not.
if (process.env["TMPDIR"] === undefined && freeBytes(MEMORY) > FREE_MIN_BYTES) {
  const folder = mkdtempSync(join(MEMORY, "product-catalog-tests-"));
  process.env["TMPDIR"] = folder;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
}

// The tests start hundreds of commands, and half of a start is compiling the same files.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "../node_modules/.cache/node");
enableCompileCache(process.env["NODE_COMPILE_CACHE"]);
