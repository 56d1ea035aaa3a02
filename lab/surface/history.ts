import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Lock, lockSchema } from "./lock.ts";

const VERSION = '-G^  "version":';
const MAIN = ["refs/remotes/origin/main", "refs/heads/main", "HEAD"];

/**
 * Reads the file as each release had it: each commit of the main branch that changed the version in package.json. A shape that no
 * release had may still change. Returns undefined without git or its history.
 */
export async function releasedLocks(file: string): Promise<{ commit: string; lock: Lock }[] | undefined> {
  for (const ref of MAIN) {
    const commits = await git("log", "--first-parent", "--format=%h", VERSION, ref, "--", "package.json");
    if (commits === undefined) continue;
    const locks = await Promise.all(
      commits
        .split("\n")
        .filter(Boolean)
        .map(async (commit) => ({ commit, text: await git("show", `${commit}:./${file}`) })),
    );
    // A release from before the file has no lock.
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
