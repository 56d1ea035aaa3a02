// lab clients: installs pinned versions of real MCP clients, drives each against the local server, and compares the
// outcome with the table of docs/connect.md.

import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import { commandOf } from "../cli/command.ts";
import { startServer } from "../cli/local/server.ts";
import { hasWayOut } from "../cli/local/way-out.ts";
import { fillNewState } from "../cli/sample/fill-new-state.ts";

const SOURCE = "lab/clients";
const PAGE = "docs/connect.md";
const MARKS = { begin: "<!-- clients: begin -->", end: "<!-- clients: end -->" };
const STEPS = ["list", "call", "error", "resource", "prompt", "key", "OAuth", "step-up"] as const;
/** Milliseconds for everything that one client does. */
const CLIENT_MS = 270_000;
const AT_ONCE = 3;

/** Each driver of lab/clients/drivers, with the package whose version the table shows. */
const CLIENTS: Record<string, string> = {
  inspector: "@modelcontextprotocol/inspector",
  "mcp-remote": "mcp-remote",
  mcporter: "mcporter",
  "ai-sdk": "@ai-sdk/mcp",
  langchain: "@langchain/mcp-adapters",
  "openai-agents": "@openai/agents",
  mastra: "@mastra/mcp",
  genkit: "@genkit-ai/mcp",
  llamaindex: "@llamaindex/tools",
  "google-genai": "@google/genai",
  anthropic: "@anthropic-ai/sdk",
  "claude-code": "@anthropic-ai/claude-code",
  codex: "@openai/codex",
  "gemini-cli": "@google/gemini-cli",
  "sdk-1.10": "sdk-1.10",
  "sdk-1.17": "sdk-1.17",
  "sdk-1.25": "sdk-1.25",
  "sdk-1.32": "sdk-1.32",
};

const program = commandOf("lab clients")
  .description(
    `Drive pinned versions of real MCP clients against a server on this machine, and compare the outcome with the table of ${PAGE}. Exits with 1 if they differ; a client that is late twice is only named. The clients are installed once, outside this repository (about 1.8 GB).`,
  )
  .argument("[clients...]", `which clients: ${Object.keys(CLIENTS).join(", ")}; all if none is named`)
  .option(
    "--folder <folder>",
    "where the clients are installed",
    join(homedir(), ".cache", "product-catalog-mcp", "clients"),
  )
  .option("--write", `write the table into ${PAGE}`)
  .parse();
const { folder, write = false } = program.opts<{ folder: string; write?: boolean }>();
const chosen = program.args.length === 0 ? Object.keys(CLIENTS) : program.args;
for (const name of chosen) if (!Object.hasOwn(CLIENTS, name)) program.error(`There is no client "${name}".`);

const run = promisify(execFile);
/** How a driver says that its client did not answer in time (lab/clients/drivers). */
const TOO_LATE = "no answer in time";
const outcomeSchema = z.partialRecord(z.enum(STEPS), z.string());
type Outcome = z.output<typeof outcomeSchema>;

const page = await readFile(PAGE, "utf8");
if (await install()) await compare(await driveAll());
else console.error("The clients can't be installed from the npm registry, so no client was tried.");

/** Installs the clients, unless this very list is installed. Returns whether they are there. */
async function install(): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  await cp(`${SOURCE}/drivers`, join(folder, "drivers"), { recursive: true });
  const list = await readFile(`${SOURCE}/package.json`, "utf8");
  const done = join(folder, "installed.json");
  if ((await readFile(done, "utf8").catch(() => "")) === list) return true;
  try {
    await run("npm", ["ping"], { timeout: 30_000 });
  } catch {
    return false;
  }
  console.error(`Installing ${Object.keys(CLIENTS).length} clients in ${folder}...`);
  await writeFile(join(folder, "package.json"), list);
  try {
    await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder });
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return false;
  }
  await writeFile(done, list);
  return true;
}

async function driveAll(): Promise<Map<string, Outcome>> {
  const state = await mkdtemp(join(tmpdir(), "catalog-clients-"));
  const homes = await mkdtemp(join(tmpdir(), "catalog-clients-"));
  let keys: Record<string, string> = {};
  const server = await startServer({
    stateDir: state,
    // Codex names the address of its description if it may, which a machine without a way out can't fetch.
    vars: { LOCAL_ANONYMOUS: "off", CLIENT_METADATA_DOCUMENTS: (await hasWayOut()) ? "on" : "off" },
    onLog: () => {},
    prepare: async (started) => void (keys = await fillNewState(started, state)),
  });
  const outcomes = new Map<string, Outcome>();
  const waiting = [...chosen];
  const worker = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      outcomes.set(name, await drive(name, `${server.url}/mcp`, keys["user-support"] ?? "", homes));
      console.error(`${name}: ${JSON.stringify(outcomes.get(name))}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    // On a busy machine a client may be late, or say so in words of its own. It is tried again when nothing runs beside it.
    for (const [name, outcome] of outcomes)
      if (isLate(outcome) || !isShown(await rowOf(name, outcome))) waiting.push(name);
    await worker();
  } finally {
    await server.close();
    // A client may leave processes behind that still write.
    for (const left of [state, homes]) await rm(left, { recursive: true, maxRetries: 5 });
  }
  return outcomes;
}

function isLate(outcome: Outcome): boolean {
  return Object.values(outcome).some((cell) => cell.endsWith(TOO_LATE));
}

/** Drives a client, whose own files are in new folders below `homes`. */
async function drive(name: string, url: string, key: string, homes: string): Promise<Outcome> {
  const { stdout } = await run(process.execPath, ["drivers/run.mjs", name, url, key], {
    cwd: folder,
    env: { ...process.env, TMPDIR: homes },
    timeout: CLIENT_MS,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: unknown) => ({ stdout: JSON.stringify({ list: `no: ${String(error).slice(-200)}` }) }));
  return outcomeSchema.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}"));
}

async function compare(outcomes: Map<string, Outcome>): Promise<void> {
  const rows = await Promise.all([...outcomes].map(([name, outcome]) => rowOf(name, outcome)));
  const order = Object.keys(CLIENTS);
  const placeOf = (row: string) => order.indexOf(row.split(" ")[1] ?? "");
  rows.sort((a, b) => placeOf(a) - placeOf(b));
  console.log(rows.join("\n"));
  if (write) {
    const table = [`| client | ${STEPS.join(" | ")} |`, `|---${"|---".repeat(STEPS.length)}|`, ...rows];
    const [before = "", rest = ""] = page.split(MARKS.begin);
    const [, after = ""] = rest.split(MARKS.end);
    await writeFile(PAGE, `${before}${MARKS.begin}\n${table.join("\n")}\n${MARKS.end}${after}`);
    return;
  }
  const late = [...outcomes].filter(([, outcome]) => isLate(outcome)).map(([name]) => name);
  for (const name of late) console.error(`${name} was late twice, so its row was not compared.`);
  const differing = rows.filter((row) => !isShown(row) && !late.includes(row.split(" ")[1] ?? ""));
  for (const row of differing) console.error(`${PAGE} shows something else: ${row}`);
  process.exitCode = differing.length === 0 ? 0 : 1;
}

function isShown(row: string): boolean {
  return page.includes(`${row}\n`);
}

async function rowOf(name: string, outcome: Outcome): Promise<string> {
  const cells = STEPS.map((step) => (outcome[step] ?? "no").replace(/^no: [^]*/, "no"));
  return `| ${name} ${await versionOf(name)} | ${cells.join(" | ")} |`;
}

async function versionOf(name: string): Promise<string> {
  const text = await readFile(join(folder, "node_modules", CLIENTS[name] ?? "", "package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
