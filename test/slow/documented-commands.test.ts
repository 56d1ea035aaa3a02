import { exec } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDemoKeys } from "../../cli/local/demo-keys.ts";
import { findServer } from "../../cli/local/server.ts";
import { PROGRAM } from "../../cli/program.ts";
import { CALL, FORMS, type RunForm, type StartForm } from "../node/support/command-forms.ts";
import { BIN, type Running, endGroups, start } from "../node/support/processes.ts";
import { copyProject, writeExamples } from "./support/project-copy.ts";

// Runs each command that README.md and docs/ name in its smallest form, in a reader's order: a later command
// may need what an earlier one leaves behind.

interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** The benchmark bundles six Workers. */
const TIMEOUT = 600_000;

let folder = "";
let dev: Running;
const noted: Record<string, string> = {};

beforeAll(async () => {
  folder = await copyProject();
  await writeExamples(folder);
  const policy: unknown = JSON.parse(await readFile("policy.json", "utf8"));
  for (const name of ["other.json", "naive.json"])
    await writeFile(join(folder, name), JSON.stringify(policy));
  const traces = await execute("npx product-catalog-mcp lab traces benign --count 1");
  await writeFile(join(folder, "traces.dev.jsonl"), traces.stdout);
  await writeFile(join(folder, "traces.dev.jsonl.gz"), gzipSync(traces.stdout));
  await writeFile(
    join(folder, "shop.csv"),
    "sku,name,category,price,currency,stock.east\nMUG-1,Blue mug,Kitchen,19.99,EUR,12\n",
  );
  dev = startIn("npm run -s dev -- --port 0");
  await dev.prints("Ctrl-C");
  await callAs(["user-001", "user-support"]);
}, TIMEOUT);
afterAll(async () => {
  await endGroups();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** npx takes a second to find the bin (test/slow/npx.test.ts), which is started here without it. */
const direct = (command: string): string => command.replaceAll(`npx ${PROGRAM} `, `node ${BIN} `);

/** Runs a command in a shell in the copy, with the ids that earlier commands printed. */
const execute = (command: string): Promise<CommandResult> =>
  new Promise((resolve) => {
    const env = { ...process.env, ...noted, NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" };
    exec(direct(command), { cwd: folder, env, maxBuffer: 1e9 }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });

const startIn = (command: string, input?: string[]): Running =>
  start("sh", ["-c", `cd "${folder}" && exec ${direct(command)}`], {
    ownGroup: true,
    ...(input !== undefined && { input }),
  });

/** Each user makes one call, so that there are chains to export. */
async function callAs(users: string[]): Promise<void> {
  const state = join(folder, ".wrangler/state");
  const server = await findServer(state);
  const keys = await readDemoKeys(state);
  for (const user of users) {
    const response = await fetch(new URL("/mcp", server?.url), {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        authorization: `Bearer ${keys[user]}`,
      },
      body: CALL,
    });
    expect(await response.text()).toContain("Electronics");
  }
}

const asRun = (command: string, { run }: { run: string }): string => (run === "" ? command : run);

/** Remembers printed values that later commands need. */
function note(stdout: string): void {
  for (const [name, pattern] of [
    ["KEY_ID", /^(key-\w+), shown once/m],
    ["SIGN_ID", /^(sign-\w+), shown once/m],
  ] as const) {
    const [, id] = pattern.exec(stdout) ?? [];
    if (id !== undefined) noted[name] = id;
  }
}

const forms = Object.entries(FORMS);
const running = forms.filter((entry): entry is [string, RunForm] => "run" in entry[1]);
const starting = forms.filter((entry): entry is [string, StartForm] => "starts" in entry[1]);

describe("starts, answers and ends", () => {
  it.each(starting)("%s", { timeout: TIMEOUT }, async (_, form) => {
    const command = startIn(form.starts, form.send === undefined ? undefined : [`${form.send}\n`]);
    await expect(command.prints(form.prints)).resolves.toBeUndefined();
    // Like Ctrl-C in a terminal, which reaches npm and the processes it started.
    if (!command.isOver()) process.kill(-command.pid, "SIGINT");
    await command.exited;
  });
});

describe("runs", () => {
  it.each(running)("%s", { timeout: TIMEOUT }, async (command, form) => {
    const { code, stdout, stderr } = await execute(asRun(command, form));
    note(stdout);
    expect(form.codes ?? [0], `${stdout.slice(-2_000)}${stderr.slice(-2_000)}`).toContain(code);
    expect(stderr).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
  });
});
