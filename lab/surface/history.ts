import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Lock, lockSchema } from "./lock.ts";

const MAIN = ["refs/remotes/origin/main", "refs/heads/main", "HEAD"];

/**
 * Reads the file as each commit of the main branch had it; commits of a branch were never shown to clients.
 * Returns undefined without git or its history.
 */
export async function committedLocks(file: string): Promise<{ commit: string; lock: Lock }[] | undefined> {
  for (const ref of MAIN) {
    const commits = await git("log", "--first-parent", "--format=%h", ref, "--", file);
    if (commits === undefined) continue;
    const locks = await Promise.all(
      commits
        .split("\n")
        .filter(Boolean)
        .map(async (commit) => ({ commit, text: await git("show", `${commit}:./${file}`) })),
    );
    // A commit that deleted the file has no lock.
    return locks.flatMap(({ commit, text }) =>
      text === undefined ? [] : [{ commit, lock: lockSchema.parse(JSON.parse(text)) }],
    );
  }
  return undefined;
}

async function git(...args: string[]): Promise<string | undefined> {
  try {
    return (await promisify(execFile)("git", args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch {
    return undefined;
  }
}
