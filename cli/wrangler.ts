import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import * as z from "zod";

export const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** What `npx wrangler` runs. */
export const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");

/** The API's code of a Worker that does not exist. */
export const NO_WORKER = 10007;
/** Codes of a token that is not known, or may not do this. */
const UNAUTHORIZED = new Set([9106, 9109, 10000, 10001]);

// What wrangler writes to WRANGLER_OUTPUT_FILE_PATH, a line of JSON each.
const lineSchema = z.looseObject({ type: z.string() });
const failedSchema = z.object({ type: z.literal("command-failed"), code: z.number().optional() });
const deploySchema = z.object({ type: z.literal("deploy"), targets: z.array(z.string()).default([]) });

export interface CallResult {
  code: number | null;
  stdout: string;
  /** Cleaned of colours and advertisements. */
  stderr: string;
  /** The API's code, where it refused. */
  apiCode: number | undefined;
  /** Where a deployment is reached. */
  targets: string[];
}

/** A command of wrangler's that failed; its message is for the operator. */
export class WranglerError extends Error {
  constructor(args: readonly string[], { stderr, apiCode }: CallResult) {
    const hint =
      apiCode !== undefined && UNAUTHORIZED.has(apiCode)
        ? "\nThe token may not do this. It needs to edit Workers Scripts, Workers KV Storage and D1 of the account: docs/deploy.md."
        : "";
    const flag = args.findIndex((arg) => arg.startsWith("-"));
    const command = args.slice(0, flag === -1 ? args.length : flag).join(" ");
    super(`wrangler ${command} failed:\n${stderr}${hint}`);
  }
}

/** Runs wrangler in this project. It asks nothing; `input` goes to its standard input, and nowhere else. */
export async function tryWrangler(args: readonly string[], input?: string): Promise<CallResult> {
  const folder = await mkdtemp(join(tmpdir(), "catalog-deploy-"));
  const output = join(folder, "output.jsonl");
  try {
    const child = spawn(process.execPath, [WRANGLER, ...args], {
      cwd: ROOT,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      env: {
        ...process.env,
        // No prompt, whatever it runs in.
        CI: "true",
        NO_COLOR: "1",
        FORCE_COLOR: "0",
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_HIDE_BANNER: "true",
        WRANGLER_OUTPUT_FILE_PATH: output,
        // More of it would stand between the JSON that is read here; its log file has it all.
        WRANGLER_LOG: "log",
        // Bodies of requests, which a debug log would hold otherwise: one of them is the secret.
        WRANGLER_LOG_SANITIZE: "true",
      },
    });
    const ended = once(child, "close");
    child.stdin?.end(input);
    const [stdout, stderr] = await Promise.all([
      child.stdout === null ? "" : text(child.stdout),
      child.stderr === null ? "" : text(child.stderr),
    ]);
    await ended;
    const lines = (await readFile(output, "utf8").catch(() => ""))
      .split("\n")
      .filter((line) => line !== "")
      .map((line): unknown => lineSchema.parse(JSON.parse(line)));
    const failed = lines.flatMap((line) => failedSchema.safeParse(line).data ?? []);
    const deployed = lines.flatMap((line) => deploySchema.safeParse(line).data ?? []);
    return {
      code: child.exitCode,
      stdout,
      stderr: clean(stderr),
      apiCode: failed.at(-1)?.code,
      targets: deployed.flatMap(({ targets }) => targets),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Throws a WranglerError where it fails. */
export async function wrangler(args: readonly string[], input?: string): Promise<CallResult> {
  const ran = await tryWrangler(args, input);
  if (ran.code !== 0) throw new WranglerError(args, ran);
  return ran;
}

function clean(stderr: string): string {
  return stripVTControlCharacters(stderr)
    .split("\n")
    .map((line) => line.trim().replace(/^[✘▲] \[(ERROR|WARNING)\] /, ""))
    .filter((line) => line !== "" && !/think this is a bug|Logs were written/.test(line))
    .join("\n");
}
