import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { BIN, start, within } from "./support/processes.ts";

const packageSchema = z.object({ scripts: z.record(z.string(), z.string()) });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-not-installed-"));
  await cp("cli", join(folder, "cli"), { recursive: true });
  await cp("bin", join(folder, "bin"), { recursive: true });
  await cp("package.json", join(folder, "package.json"));
});
afterAll(() => rm(folder, { recursive: true }));

const dev = (...options: string[]) => start(process.execPath, [...options, join(folder, BIN), "dev"]);

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
  const old = dev("--no-experimental-strip-types");
  expect(await within(30_000, old)).toEqual({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^Node v[\d.]+ is too old\.[^\n]*\n$/),
  });
});

it("is run by every script that runs a command", async () => {
  const { scripts } = packageSchema.parse(JSON.parse(await readFile("package.json", "utf8")));
  const own = Object.values(scripts).filter((script) => /\b(?:cli|lab|bin)\//.test(script));
  expect(own.length).toBeGreaterThan(4);
  expect(own.filter((script) => !script.startsWith(`node ${BIN} `))).toEqual([]);
});

it("has at most 14 npm scripts", async () => {
  const { scripts } = packageSchema.parse(JSON.parse(await readFile("package.json", "utf8")));
  expect(Object.keys(scripts).length).toBeLessThanOrEqual(14);
});
