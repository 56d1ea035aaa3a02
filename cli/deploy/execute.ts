import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Wanted } from "./plan.ts";
import { withConfig } from "./project.ts";
import { COMMIT_VARIABLE, DIGEST_VARIABLE } from "./read-account.ts";
import { ROOT, wrangler } from "../wrangler.ts";

const run = promisify(execFile);
const ASK_MS = 10_000;
const PAUSE_MS = 2_000;

/**
 * Uploads the Worker; wrangler creates the database and the namespace for it. Returns the URLs that wrangler names. Throws
 * with wrangler's reason and what to do.
 */
export async function upload(
  { worker, digest }: Pick<Wanted, "worker" | "digest">,
  connectStore: string | undefined,
): Promise<string[]> {
  try {
    const commit = await commitOf();
    const variables = [`${DIGEST_VARIABLE}:${digest}`, ...(commit ? [`${COMMIT_VARIABLE}:${commit}`] : [])];
    const { targets } = await withConfig(connectStore, (config) =>
      wrangler(["deploy", "--config", config, ...variables.flatMap((variable) => ["--var", variable])]),
    );
    return targets;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Worker ${worker}: ${reason}\nFix this and run npm run deploy again. It continues from here.`,
      { cause: error },
    );
  }
}

/** Returns the folder's commit, with a plus if files differ from it; undefined if the folder is no repository. */
async function commitOf(): Promise<string | undefined> {
  try {
    const git = async (...args: string[]) => (await run("git", args, { cwd: ROOT })).stdout.trim();
    const commit = await git("rev-parse", "--short=12", "HEAD");
    return (await git("status", "--porcelain")) === "" ? commit : `${commit}+`;
  } catch {
    return undefined;
  }
}

/** `isNew`: the Worker has no admin yet, and shows its setup page. */
export type Answer = { ok: true; isNew: boolean } | { ok: false; reason: string };

/**
 * Asks whether the deployed Worker answers. The setup page needs every setting, the secret key and the database, so this
 * request also makes the Worker make its key and apply its migrations. A new name takes a while to reach every location.
 */
export async function askWorker(url: string, waitSeconds: number): Promise<Answer> {
  const deadline = Date.now() + waitSeconds * 1_000;
  for (;;) {
    const answer = await askOnce(new URL("/setup", url));
    if (answer.ok || Date.now() + PAUSE_MS > deadline) return answer;
    await sleep(PAUSE_MS);
  }
}

/** The setup page's status once there is an admin. */
const SET_UP = 409;

async function askOnce(page: URL): Promise<Answer> {
  try {
    const response = await fetch(page, { redirect: "manual", signal: AbortSignal.timeout(ASK_MS) });
    const text = await response.text();
    if (response.ok || response.status === SET_UP) return { ok: true, isNew: response.ok };
    return { ok: false, reason: `HTTP ${response.status}: ${text.trim().slice(0, 500)}` };
  } catch {
    return { ok: false, reason: "no answer" };
  }
}
