import { exec } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROGRAM } from "../../../cli/program.ts";
import type { Form, RunForm, StartForm } from "../../node/support/forms/form.ts";
import { BIN, type Running, endGroups, start } from "../../node/support/processes.ts";
import { copyProject, writeExamples } from "./project-copy.ts";

interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** The benchmark bundles six Workers. */
const TIMEOUT = 600_000;

let folder = "";
const noted: Record<string, string> = {};

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

/** Starts a command that goes on in the copy. */
export const startIn = (command: string, input?: string[]): Running =>
  start("sh", ["-c", `cd "${folder}" && exec ${direct(command)}`], {
    ownGroup: true,
    ...(input !== undefined && { input }),
  });

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

/**
 * Makes a test of each command: it runs in its smallest form in a copy of the project, in the order of the forms, because a later
 * command may need what an earlier one leaves behind. `prepare` gets the copy's folder.
 */
export function testForms(
  group: Readonly<Record<string, Form>>,
  prepare?: (folder: string) => Promise<void>,
): void {
  const forms = Object.entries(group);
  const running = forms.filter((entry): entry is [string, RunForm] => "run" in entry[1]);
  const starting = forms.filter((entry): entry is [string, StartForm] => "starts" in entry[1]);

  beforeAll(async () => {
    folder = await copyProject();
    await writeExamples(folder);
    const policy = await readFile("policy.json", "utf8");
    for (const name of ["other.json", "naive.json"]) await writeFile(join(folder, name), policy);
    const traces = await execute("npx product-catalog-mcp lab traces benign --count 1");
    await writeFile(join(folder, "traces.dev.jsonl"), traces.stdout);
    await writeFile(join(folder, "traces.dev.jsonl.gz"), gzipSync(traces.stdout));
    await prepare?.(folder);
  }, TIMEOUT);
  afterAll(async () => {
    await endGroups();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  describe.runIf(starting.length > 0)("starts, answers and ends", () => {
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
}
