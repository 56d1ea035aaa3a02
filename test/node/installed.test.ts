import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { start, within } from "./support/processes.ts";

const packageSchema = z.object({ scripts: z.record(z.string(), z.string()) });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-not-installed-"));
  await cp("cli", join(folder, "cli"), { recursive: true });
  await cp("package.json", join(folder, "package.json"));
});
afterAll(() => rm(folder, { recursive: true }));

const dev = () =>
  start(process.execPath, ["--import", join(folder, "cli/installed.mjs"), join(folder, "cli/dev.ts")]);

it("says in one line that the packages are missing", async () => {
  expect(await within(30_000, dev())).toEqual({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^[^\n]*npm install[^\n]*\n$/),
  });
});

it("says in one line that this Node cannot run the commands", async () => {
  await mkdir(join(folder, "node_modules"));
  // An older Node reports this version.
  const old = start(process.execPath, [
    "--no-experimental-strip-types",
    "--import",
    join(folder, "cli/installed.mjs"),
    join(folder, "cli/dev.ts"),
  ]);
  expect(await within(30_000, old)).toEqual({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^Node v[\d.]+ is too old\.[^\n]*\n$/),
  });
});

it("is loaded by every script that runs a command of cli/", async () => {
  const { scripts } = packageSchema.parse(JSON.parse(await readFile("package.json", "utf8")));
  const commands = Object.entries(scripts).filter(([, script]) => /\b(?:cli|lab)\/[\w-]+\.ts/.test(script));
  expect(commands.length).toBeGreaterThan(15);
  expect(commands.filter(([, script]) => !script.startsWith("node --import ./cli/installed.mjs "))).toEqual(
    [],
  );
});
