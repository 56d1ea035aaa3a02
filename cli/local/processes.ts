import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { promisify } from "node:util";
import type { Program } from "./child-programs.ts";

export function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * Ends a program that a killed process left behind. Another program that has the same process id by now is
 * left alone.
 */
export async function endLeftover(pid: number, program: Program): Promise<void> {
  if ((await programOf(pid)) !== program) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // The process has already ended.
  }
}

/** Returns the command line of a process, parted by spaces; undefined if none runs or the system does not tell. */
export const commandLineOf = async (pid: number): Promise<string | undefined> =>
  (await tell(pid, "cmdline", "args"))?.replaceAll("\0", " ");

/** Returns the process that started another one; undefined if the system does not tell. */
export async function parentOf(pid: number): Promise<number | undefined> {
  const [, parent] = /(?:^|PPid:\s*)(\d+)$/m.exec((await tell(pid, "status", "ppid")) ?? "") ?? [];
  return parent === undefined ? undefined : Number(parent);
}

/** Returns the name of the program with a process id; undefined if none runs or the system does not tell. */
async function programOf(pid: number): Promise<string | undefined> {
  const name = await tell(pid, "comm", "comm");
  return name === undefined ? undefined : basename(name);
}

/** Reads a file of Linux's /proc, or a column of `ps`. */
async function tell(pid: number, file: string, column: string): Promise<string | undefined> {
  try {
    const text =
      process.platform === "linux"
        ? await readFile(`/proc/${pid}/${file}`, "utf8")
        : (await promisify(execFile)("ps", ["-o", `${column}=`, "-p", String(pid)])).stdout;
    return text.trim();
  } catch {
    return undefined;
  }
}
