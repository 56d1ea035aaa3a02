import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLock, takeLock } from "../../cli/local/lock-file.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { generateProducts } from "../../cli/sample/generate.ts";
import {
  emptyCatalog,
  jsonl,
  product,
  query,
  readReport,
  seed,
  startImport,
} from "../node/support/imports.ts";
import { runtimeBytes } from "../../lab/bench/memory.ts";
import { listenOn } from "../node/support/listen-on.ts";
import { readLocalD1 } from "../node/support/local-d1.ts";
import {
  type Running,
  endGroups,
  groupMembers,
  start,
  startCommand,
  within,
} from "../node/support/processes.ts";

const LOCK = "product-catalog.lock";
let folder: string;
let state: string;
let server: LocalServer;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-server-test-"));
  state = at("state");
  server = await startServer({ stateDir: state });
});
afterAll(async () => {
  await server.close();
  await endGroups();
  await rm(folder, { recursive: true });
});

const startDev = (stateDir: string, port = 0) =>
  startCommand("dev", ["--port", String(port), "--state", stateDir], { ownGroup: true });
const hasLock = (stateDir: string) =>
  stat(join(stateDir, LOCK)).then(
    () => true,
    () => false,
  );

/** Returns what still runs of a process and its runtime after they had time to end. */
async function whatLivesOf({ pid }: Running): Promise<string[]> {
  for (let tries = 0; tries < 20 && (await groupMembers(pid)).length > 0; tries++) await sleep(100);
  return groupMembers(pid);
}

/** Expects that a signal ends the process and its runtime, and removes its lock. */
async function expectCleanEnd(running: Running, signal: NodeJS.Signals, stateDir: string): Promise<void> {
  expect(await groupMembers(running.pid)).toContain("workerd");
  running.kill(signal);
  await within(30_000, running);
  expect(await whatLivesOf(running)).toEqual([]);
  expect(await hasLock(stateDir)).toBe(false);
}

/** A URL where nothing listens. */
const CLOSED = "http://127.0.0.1:1";

async function writeLock(stateDir: string, contents: unknown): Promise<void> {
  await mkdir(stateDir);
  await writeFile(join(stateDir, LOCK), JSON.stringify(contents));
}

describe("one server per state folder", () => {
  it("refuses a second one, and names the first", async () => {
    await expect(startServer({ stateDir: state })).rejects.toThrow(server.url);
    expect((await readLock(state))?.url).toBe(server.url);
  });

  it("does not start on a port that is taken, says so at once and leaves no lock", async () => {
    const other = createServer();
    const port = Number(new URL(await listenOn(other)).port);
    const { code, stderr } = await within(10_000, startDev(at("taken"), port));
    other.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`${port} is in use`);
    expect(await hasLock(at("taken"))).toBe(false);
  });

  it("does not mistake another process with the holder's old id for the holder", async () => {
    await writeLock(at("reused"), { pid: process.pid, url: CLOSED, runtimes: [], key: "x" });
    const lock = await takeLock(at("reused"));
    expect(lock).toBeDefined();
    lock?.release();
  });

  it("treats another program at the lock's URL as no holder, sends it no key and ends none of its processes", async () => {
    const asked: (string | undefined)[] = [];
    const stranger = createHttpServer(({ url, headers }, response) => {
      asked.push(url, headers.authorization);
      response.end("ok");
    });
    const url = await listenOn(stranger);
    const bystander = start(process.execPath, ["-e", "setTimeout(() => {}, 60_000)"]);
    await writeLock(at("taken-over"), { pid: 999_999, url, runtimes: [bystander.pid], key: "secret" });
    expect(await readLock(at("taken-over"))).toBeUndefined();
    const lock = await takeLock(at("taken-over"));
    expect(lock).toBeDefined();
    lock?.release();
    stranger.close();
    expect(bystander.isOver()).toBe(false);
    bystander.kill("SIGKILL");
    expect(JSON.stringify(asked)).not.toContain("secret");
    expect(asked.length).toBeGreaterThan(0);
  });

  it("is held and published while the same process tries to take it", async () => {
    const held = await takeLock(at("many"));
    const times = Array.from({ length: 100 });
    const publishing = times.map(async () => held?.publish(null, { runtimes: [], bundlers: [] }));
    const others = await Promise.all(times.map(async () => takeLock(at("many"))));
    await Promise.all(publishing);
    expect(others.filter((lock) => lock !== undefined)).toEqual([]);
    held?.release();
  });

  it("takes over a lock without a URL left by a start with this very process id", async () => {
    await writeLock(at("crashed"), { pid: process.pid, url: null, runtimes: [], key: "x" });
    expect(await takeLock(at("crashed"))).toBeUndefined();
    const before = new Date(Date.now() - process.uptime() * 1000 - 1_000);
    await utimes(join(at("crashed"), LOCK), before, before);
    const lock = await takeLock(at("crashed"));
    expect(lock).toBeDefined();
    lock?.release();
  });

  it("takes over the lock of a dead process, only one of two that try at once; ends on SIGINT", async () => {
    const gone = start(process.execPath, ["-e", ""]);
    await gone.ended;
    await writeLock(at("stale"), { pid: gone.pid, url: CLOSED, runtimes: [], key: "x" });
    const both = [startDev(at("stale")), startDev(at("stale"))];
    const refused = await Promise.any(both.map(({ ended }) => ended));
    expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("in use") });
    for (const holder of both.filter((dev) => !dev.isOver())) {
      await holder.prints("Ctrl-C");
      expect((await readLock(at("stale")))?.pid).toBe(holder.pid);
      await expectCleanEnd(holder, "SIGINT", at("stale"));
    }
  });

  it("starts again after SIGKILL, leaves no runtime and no bundler behind, and ends on SIGTERM", async () => {
    const killed = startDev(at("killed"));
    await killed.prints("Ctrl-C");
    const bundlers = (await readLock(at("killed")))?.bundlers ?? [];
    expect(bundlers).toHaveLength(1);
    // A bundler that waits for an answer to its ping does not notice that its pipes close; nor does this one.
    for (const pid of bundlers) process.kill(pid, "SIGSTOP");
    killed.kill("SIGKILL");
    await killed.exited;
    expect(await hasLock(at("killed"))).toBe(true);
    const next = startDev(at("killed"));
    await next.prints("Ctrl-C");
    expect((await readLock(at("killed")))?.pid).toBe(next.pid);
    expect(await whatLivesOf(killed)).toEqual([]);
    await expectCleanEnd(next, "SIGTERM", at("killed"));
  });

  it("ends on SIGINT if an import started it for itself", async () => {
    await writeFile(at("own.jsonl"), jsonl(generateProducts(20_000, 2)));
    const running = startImport(at("own"), [at("own.jsonl")], { ownGroup: true });
    while (((await readLock(at("own")))?.url ?? null) === null) await sleep(20);
    await sleep(300);
    await expectCleanEnd(running, "SIGINT", at("own"));
    expect(await running.ended).toMatchObject({ code: 130 });
  });
});

describe("local endpoints", () => {
  it.each([
    "/cdn-cgi/explorer/",
    "/cdn-cgi/explorer/api/d1/database",
    "/cdn-cgi/explorer/api/d1/database/DB/raw",
  ])("wrangler's explorer is closed: %s", async (path) => {
    for (const method of ["GET", "POST"]) {
      const response = await fetch(`${server.url}${path}`, { method });
      expect(response.status).toBe(404);
    }
  });

  it.each([
    ["without a key", undefined, 401],
    ["with another key", "x", 401],
    ["with the lock file's key", "lock", 200],
  ])("the database endpoint answers %s: %s -> %i", async (_, given, status) => {
    const key = given === "lock" ? (await readLock(state))?.key : given;
    const response = await fetch(`${server.url}/__local/database`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ statements: [{ sql: "SELECT 1 AS one", values: [] }] }),
    });
    expect(response.status).toBe(status);
    if (status === 200) expect(await response.json()).toEqual({ results: [[{ one: 1 }]] });
  });
});

it.runIf(process.platform === "linux")(
  "keeps little memory of the requests that it has answered",
  async () => {
    const requests = 12_000;
    const before = await runtimeBytes(state);
    for (let sent = 0; sent < requests; sent += 16)
      await Promise.all(
        Array.from({ length: 16 }, async () => (await fetch(`${server.url}/healthz`)).text()),
      );
    expect((await runtimeBytes(state)) - before).toBeLessThan(requests * 25_000);
  },
);

it("keeps answering queries while an import runs, from the old catalog or the new one", async () => {
  await emptyCatalog(server);
  await seed(server, [product({ sku: "OLD-1", name: "Garden Gnome", category: "Garden" })]);
  const client = new Client({ name: "server-test", version: "1" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`)));
  await writeFile(at("during.jsonl"), jsonl(generateProducts(20_000, 4)));

  const running = startImport(state, [at("during.jsonl"), "--json"]);
  const totals = new Set<number>();
  let answers = 0;
  while (!running.isOver()) {
    const found = await client.callTool({ name: "search_products", arguments: { query: "gnome" } });
    expect(found.structuredContent).toMatchObject({ products: [{ sku: "OLD-1" }] });
    const [[row] = []] = await query(server, "SELECT count(*) AS total FROM products");
    totals.add(Number(row?.["total"]));
    answers++;
    // A caller may make 100 calls a minute, which is 25 seconds at this pace.
    await sleep(250);
  }
  await client.close();
  expect(readReport(await running.ended)).toMatchObject({ rows: 20_000, applied: true });
  expect(answers).toBeGreaterThan(10);
  expect([...totals].filter((total) => total !== 1 && total !== 20_001)).toEqual([]);
});

describe("an import to the deployed database", () => {
  // Characters that an SQL file must escape, and that take more bytes than characters.
  const awkward = product({
    sku: "A'B;C",
    name: `It's "quoted"; -- not a comment /* nor this */ ?1 \\`,
    description: "BEGIN;\nSELECT '?2';\nEND;\n--> statement\n",
    attributes: { "it's": "O'Neill; DROP TABLE products" },
    stock: [],
  });
  const japanese = Array.from({ length: 200 }, (_, index) =>
    product({
      sku: `J-${index}`,
      name: `キーボード ${index}`,
      description: "静かなキーのワイヤレスキーボード。".repeat(20),
      attributes: { 配列: "日本語", 色: "黒" },
    }),
  );
  const records = [awkward, ...japanese, ...generateProducts(300, 6)];
  const TABLES = [
    `SELECT p.*, c.name AS category, i.cost, i.supplier_id FROM products p
     JOIN categories c ON c.id = p.category_id JOIN product_internals i ON i.product_id = p.id ORDER BY sku`,
    "SELECT sku, warehouse, quantity FROM stock JOIN products ON id = product_id ORDER BY sku, warehouse",
    "SELECT w.* FROM product_words w ORDER BY w.id",
    "SELECT name, active_products FROM categories ORDER BY name",
    "SELECT active_products FROM catalog_state",
    "SELECT * FROM word_counts ORDER BY word",
    "SELECT * FROM imports",
    "SELECT * FROM import_rows",
  ];
  const wrangler = (...args: string[]) =>
    start(process.execPath, ["node_modules/wrangler/bin/wrangler.js", "d1", ...args], { ownGroup: true })
      .ended;

  it("writes SQL that gives the same catalog as a local import, and sends none with --dry-run", async () => {
    await writeFile(at("remote.jsonl"), jsonl(records));
    const written = await startImport(state, [at("remote.jsonl"), "--remote", "--dry-run", "--json"]).ended;
    expect(written.code).toBe(0);
    expect(readReport(written)).toMatchObject({ rows: records.length, bad: 0, applied: false });
    const file = written.stderr.match(/(\S+\.sql)$/m)?.[1] ?? "";

    // D1 accepts statements of 100,000 bytes.
    const lines = (await readFile(file, "utf8"))
      .split(";\n")
      .map((statement) => Buffer.byteLength(statement));
    expect(lines.filter((bytes) => bytes > 100_000)).toEqual([]);

    const local = ["DB", "--local", "--persist-to", at("d1")];
    const execute = async () => {
      expect(await wrangler("migrations", "apply", ...local)).toMatchObject({ code: 0 });
      expect(await wrangler("execute", ...local, "--yes", "--file", file)).toMatchObject({ code: 0 });
    };
    const [expected] = await Promise.all([importedLocally(), execute()]);
    await rm(join(file, ".."), { recursive: true });
    const found = await readLocalD1(at("d1"), TABLES);
    expect(found[0]).toHaveLength(records.length);
    expect(found).toEqual(expected);
  });

  async function importedLocally() {
    const fresh = await startServer({ stateDir: at("fresh") });
    await seed(fresh, records);
    const answer = await query(fresh, ...TABLES);
    await fresh.close();
    return answer;
  }
});
