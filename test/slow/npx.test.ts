import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PROGRAM } from "../../cli/program.ts";
import { listenOn } from "../node/support/listen-on.ts";

/** Requests that a registry got. It has no package. */
const asked: string[] = [];
const registry = createServer((request, response) => {
  asked.push(request.url ?? "");
  response.writeHead(404).end("{}");
});
let registryUrl: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-npx-"));
  registryUrl = await listenOn(registry);
});
afterAll(async () => {
  registry.close();
  await rm(folder, { recursive: true });
});

/** Runs npx as on a machine that never ran it. */
async function npx(words: string[], cwd: string): Promise<string> {
  const settings = {
    npm_config_cache: join(folder, "cache"),
    npm_config_registry: `${registryUrl}/`,
    npm_config_update_notifier: "false",
  };
  const { stdout } = await promisify(execFile)("npx", words, { cwd, env: { ...process.env, ...settings } });
  return stdout;
}

it.each([
  ["in the folder", [PROGRAM, "--help"], "."],
  ["below the folder", [PROGRAM, "--help"], "docs"],
  ["elsewhere, with the folder named", ["--prefix", resolve("."), PROGRAM, "--help"], tmpdir()],
])("npx runs this folder's program and asks no registry: %s", async (_, words, cwd) => {
  expect(await npx(words, cwd)).toContain(`Usage: npx ${PROGRAM} <command>`);
  expect(asked).toEqual([]);
});

it("the registry of this test is the one that npx would ask", async () => {
  await expect(npx([`${PROGRAM}-nowhere`], ".")).rejects.toThrow("npx");
  expect([...new Set(asked)]).toEqual([`/${PROGRAM}-nowhere`]);
});
