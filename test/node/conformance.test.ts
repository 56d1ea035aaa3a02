import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { type LocalServer, startServer } from "../../cli/local/server.ts";

const SUITE = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
const checksSchema = z.array(z.looseObject({ status: z.string() }));

let folder: string;
let server: LocalServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-conformance-"));
  server = await startServer({ stateDir: join(folder, "state"), vars: { LOCAL_ANONYMOUS: "off" } });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

it("passes the official suite's authorization-server-metadata-endpoint", async () => {
  const scenario = "authorization-server-metadata-endpoint";
  const results = join(folder, "results");
  await promisify(execFile)(process.execPath, [
    SUITE,
    "authorization",
    "--url",
    server.url,
    "--scenario",
    scenario,
    "-o",
    results,
  ]);
  const files = (await readdir(results, { recursive: true })).filter((name) => name.endsWith("checks.json"));
  expect(files).toHaveLength(1);
  const checks = checksSchema.parse(JSON.parse(await readFile(join(results, files[0] ?? ""), "utf8")));
  expect(checks.length).toBeGreaterThan(0);
  expect(checks.filter(({ status }) => status !== "SUCCESS")).toEqual([]);
});
