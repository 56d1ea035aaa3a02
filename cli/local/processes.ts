import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { promisify } from "node:util";

export function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * Ends a runtime that a killed process left behind. Another program that has the same process id by now is
 * left alone.
 */
export async function endRuntime(pid: number): Promise<void> {
  if ((await programOf(pid)) !== "workerd") return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has already ended.
  }
}

/** Returns the name of the program with a process id; undefined if none runs or the system does not tell. */
async function programOf(pid: number): Promise<string | undefined> {
  try {
    const name =
      process.platform === "linux"
        ? await readFile(`/proc/${pid}/comm`, "utf8")
        : (await promisify(execFile)("ps", ["-o", "comm=", "-p", String(pid)])).stdout;
    return basename(name.trim());
  } catch {
    return undefined;
  }
}
