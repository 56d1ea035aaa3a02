import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { type LocalServer, findServer, startServer } from "../../cli/local/server.ts";
import { generateProducts } from "../../cli/sample/generate.ts";
import {
  count,
  emptyCatalog,
  jsonl,
  product,
  query,
  readReport,
  seed,
  snapshot,
  startImport,
} from "../node/support/imports.ts";
import { BIN, type Running, endGroups, start, within } from "../node/support/processes.ts";

const PRODUCTS = 20_000;
const FEWER = 8_000;
const old = [product({ sku: "OLD-1" }), product({ sku: "OLD-2" })];

let folder: string;
let state: string;
let server: LocalServer;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-interrupt-test-"));
  state = at("state");
  const made = jsonl(generateProducts(PRODUCTS, 3)).split("\n");
  await writeFile(at("large.jsonl"), made.join("\n"));
  await writeFile(at("fewer.jsonl"), made.slice(0, FEWER).join("\n"));
  server = await startServer({ stateDir: state, onLog: () => {} });
});
afterAll(async () => {
  await server.close();
  await endGroups();
  await rm(folder, { recursive: true });
});

async function linesStaged(on = server): Promise<number> {
  const [[row] = []] = await query(on, "SELECT coalesce(max(lines_staged), 0) AS lines FROM imports");
  return z.object({ lines: z.int() }).parse(row).lines;
}

async function staged(lines: number, running: Running): Promise<void> {
  while ((await linesStaged()) < lines) {
    if (running.isOver()) throw new Error((await running.ended).stderr);
    await sleep(5);
  }
}

it("resumes after SIGINT and SIGKILL where it stopped, and imports every product once", async () => {
  await seed(server, old);
  const before = await snapshot(server);
  const command = () => startImport(state, [at("large.jsonl"), "--json"]);

  const interrupted = command();
  await staged(3_000, interrupted);
  interrupted.kill("SIGINT");
  expect(await interrupted.ended).toMatchObject({ code: 130, stdout: "" });
  expect(await snapshot(server)).toEqual(before);

  const killed = command();
  await staged((await linesStaged()) + 3_000, killed);
  killed.kill("SIGKILL");
  expect(await killed.ended).toMatchObject({ code: null, stdout: "" });
  expect(await snapshot(server)).toEqual(before);

  const stopped = await linesStaged();
  const last = await command().ended;
  expect(last.code).toBe(0);
  const report = readReport(last);
  expect(report).toMatchObject({
    rows: PRODUCTS,
    bad: 0,
    applied: true,
    comparison: { added: PRODUCTS, changed: 0, unchanged: 0, missing: old.length },
  });
  // A batch may have been in flight when the signal came.
  expect(report.resumedAfter).toBeGreaterThanOrEqual(stopped);
  expect(report.resumedAfter).toBeGreaterThanOrEqual(6_000);
  for (const table of ["products", "product_words", "product_internals"]) {
    expect(await count(server, table)).toBe(PRODUCTS + old.length);
  }
  expect(await count(server, "import_rows")).toBe(0);
});

it("after SIGINT while rows are applied, says that the catalog is unchanged only if it is", async () => {
  await emptyCatalog(server);
  await seed(server, old);
  const running = startImport(state, [at("fewer.jsonl")]);
  await staged(FEWER, running);
  // From here, applying takes half a second.
  await sleep(120);
  running.kill("SIGINT");
  const { stderr } = await running.ended;
  // This query waits for everything that the command may have sent.
  const products = await count(server, "products");
  expect([old.length, FEWER + old.length]).toContain(products);
  expect(stderr.includes("catalog is unchanged") && products !== old.length).toBe(false);
});

it("says that the server was lost, and continues at another one", async () => {
  const lost = at("lost");
  const dev = start(process.execPath, [BIN, "dev", "--port", "0", "--state", lost], { ownGroup: true });
  await dev.prints("Ctrl-C");
  const running = startImport(lost, [at("large.jsonl")]);
  const onLost = await findServer(lost);
  if (onLost === undefined) throw new Error("The server is not reachable");
  while ((await linesStaged(onLost)) < 3_000) await sleep(5);
  await endGroups();
  const { code, stdout, stderr } = await within(30_000, running);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/ended or restarted.*Run the same command again\./);
  expect(stderr).toMatch(/^The catalog is unchanged\.$/m);
  const again = readReport(await startImport(lost, [at("large.jsonl"), "--json", "--yes"]).ended);
  expect(again).toMatchObject({ rows: PRODUCTS, bad: 0, applied: true });
  expect(again.resumedAfter).toBeGreaterThan(0);
});

/** Runs in its own mount namespace, where `folder`/disk is a small disk. */
function startOnDisk(size: string, script: string, args: string[]): Running {
  const mount = `mount -t tmpfs -o size=${size} tmpfs "$0" && exec "$@"`;
  const command = [process.execPath, script, ...args, "--state", at("disk")];
  return start("unshare", ["-m", "sh", "-c", mount, at("disk"), ...command], { ownGroup: true });
}

it("leaves the old catalog whole if the disk is full, and says so", async () => {
  await mkdir(at("disk"), { recursive: true });
  const dev = startOnDisk("8m", "cli/dev.ts", ["--port", "0"]);
  await dev.prints("Ctrl-C");
  const disk = `/proc/${dev.pid}/root${at("disk")}`;
  const onDisk = await findServer(disk);
  if (onDisk === undefined) throw new Error("The small disk is not reachable");
  const before = await snapshot(onDisk);
  expect(before.products?.length).toBeGreaterThan(0);
  // A file that its owner can delete: without any free space workerd cannot even read.
  const ballast = join(disk, "ballast");
  await writeFile(ballast, Buffer.alloc(512 * 1024));

  const { code, stdout, stderr } = await startImport(disk, [at("fewer.jsonl")]).ended;
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^The disk is full\.$/m);
  expect(stderr).not.toMatch(/^\s+at |node:internal/m);
  await rm(ballast);
  expect(await snapshot(onDisk)).toEqual(before);
});

it("ends if the disk has no room for its own server", async () => {
  await mkdir(at("disk"), { recursive: true });
  const running = startOnDisk("4k", "cli/import.ts", [at("fewer.jsonl")]);
  const { code, stderr } = await within(15_000, running);
  expect(code).toBe(1);
  expect(stderr).toMatch(/no space left|disk is full/i);
});
