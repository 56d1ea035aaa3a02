import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import * as z from "zod";

export const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** The script that `npx wrangler` runs. */
export const WRANGLER = join(ROOT, "node_modules/wrangler/bin/wrangler.js");

/** The API's code for a Worker that does not exist. */
export const NO_WORKER = 10007;
/** The API's codes for a token that is unknown or lacks permission. */
const UNAUTHORIZED = new Set([9106, 9109, 10000, 10001]);

// A line of the JSON Lines that wrangler writes to WRANGLER_OUTPUT_FILE_PATH.
const lineSchema = z.looseObject({ type: z.string() });
const failedSchema = z.object({ type: z.literal("command-failed"), code: z.number().optional() });
const deploySchema = z.object({ type: z.literal("deploy"), targets: z.array(z.string()).default([]) });

export interface CommandResult {
  code: number | null;
  stdout: string;
  /** Standard error without colours and advertisements. */
  stderr: string;
  /** The API's error code, if the API refused. */
  apiCode: number | undefined;
  /** The addresses of a deployment. */
  targets: string[];
}

/** A wrangler command failed; the message is for the operator. */
export class WranglerError extends Error {
  constructor(args: readonly string[], { stderr, apiCode }: CommandResult) {
    const hint =
      apiCode !== undefined && UNAUTHORIZED.has(apiCode)
        ? "\nThe token lacks a permission. It needs Edit on Workers Scripts, Workers KV Storage and D1 (docs/deploy.md)."
        : "";
    const flag = args.findIndex((arg) => arg.startsWith("-"));
    const command = args.slice(0, flag === -1 ? args.length : flag).join(" ");
    super(`wrangler ${command} failed:\n${stderr}${hint}`);
  }
}

/** Runs wrangler in this project without prompts. */
export async function tryWrangler(args: readonly string[]): Promise<CommandResult> {
  const folder = await mkdtemp(join(tmpdir(), "catalog-deploy-"));
  const output = join(folder, "output.jsonl");
  try {
    const child = spawn(process.execPath, [WRANGLER, ...args], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        // The build command of wrangler.toml runs `node`, and the host's own may be too old for it.
        PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
        // Disables prompts in every environment.
        CI: "true",
        NO_COLOR: "1",
        FORCE_COLOR: "0",
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_HIDE_BANNER: "true",
        WRANGLER_OUTPUT_FILE_PATH: output,
        // More output would stand between the JSON that is read here; wrangler's log file has all of it.
        WRANGLER_LOG: "log",
        // Keeps request bodies out of debug logs.
        WRANGLER_LOG_SANITIZE: "true",
      },
    });
    const ended = once(child, "close");
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
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

/** Runs wrangler; throws a WranglerError if it fails. */
export async function wrangler(args: readonly string[]): Promise<CommandResult> {
  const ran = await tryWrangler(args);
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
