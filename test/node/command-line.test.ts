import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import manifest from "../../package.json" with { type: "json" };
import { COMMANDS } from "../../cli/commands.ts";
import { parseJsonAs, readText } from "../../cli/read-file.ts";
import { productRecordSchema } from "../../src/catalog/import/record.ts";
import { freePort } from "./support/free-port.ts";
import { helpOf } from "./support/help.ts";
import { BIN, start } from "./support/processes.ts";
import { runCommand } from "./support/run-command.ts";

const run = promisify(execFile);
const node = (name: string, args: string[]) =>
  run(process.execPath, [BIN, ...name.split(" "), ...args], { maxBuffer: 1e9 });

it("every command is a program of cli/command.ts under its own name, and points to --help", async () => {
  const named = await Promise.all(
    COMMANDS.map(async ({ name, file }) => ({
      name,
      isNamed: /\b(?:commandOf|adminCommand)\("([^"]+)"\)/.exec(await readFile(file, "utf8"))?.[1] === name,
    })),
  );
  expect(named.filter(({ isNamed }) => !isNamed)).toEqual([]);
  await expect(node("import", ["--nonsense"])).rejects.toMatchObject({
    code: 1,
    stderr: "error: unknown option '--nonsense'\n(See --help.)\n",
  });
});

it.each(["lab surface", "lab attack", "lab bench search"])(
  "%s says in one line that policy.json is not JSON",
  async (name) => {
    const hooks = `import { registerHooks } from "node:module";
      const broken = { format: "json", source: "{", shortCircuit: true };
      registerHooks({ load: (url, context, next) => url.endsWith("/policy.json") ? broken : next(url, context) });`;
    const hooked = ["--import", `data:text/javascript,${encodeURIComponent(hooks)}`];
    await expect(run(process.execPath, [...hooked, BIN, ...name.split(" ")])).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^.*policy\.json: .*\n$/),
    });
  },
);

it.each([
  "import no-such-file.csv",
  "import package.json --decimal dot",
  "ask lamp --url nowhere",
  "ask",
  "users list --url http://127.0.0.1:1",
  "feed add https://example.com/feed.csv --every 1y",
  "audit export nobody --url http://127.0.0.1:1",
  "policy replay no-such-file.jsonl --against policy.json",
])("%s --json tells a program why it failed", async (words) => {
  const ended = await start(process.execPath, [BIN, ...words.split(" "), "--json"]).ended;
  expect(ended.code).toBeGreaterThan(0);
  const { error } = z
    .strictObject({ error: z.strictObject({ message: z.string() }) })
    .parse(JSON.parse(ended.stdout));
  expect(error.message).not.toBe("");
  expect(ended.stderr).toContain(error.message);
});

describe("the bin", () => {
  it("lists every command, and nothing else is loaded for that", async () => {
    const [used, lab] = await Promise.all([
      run(process.execPath, [BIN, "--help"]),
      run(process.execPath, [BIN, "lab", "--help"]),
    ]);
    for (const { name, summary } of COMMANDS)
      expect(name.startsWith("lab ") ? lab.stdout : used.stdout).toMatch(
        new RegExp(`^  ${name} +${summary}$`, "m"),
      );
    const loaded = await loadedWith("cli/main.ts");
    expect([...loaded].toSorted()).toEqual([
      "cli/commands.ts",
      "cli/failure.ts",
      "cli/main.ts",
      "cli/program.ts",
      "package.json",
    ]);
  });

  it("prints the version of the package", async () => {
    expect((await run(process.execPath, [BIN, "--version"])).stdout).toBe(`${manifest.version}\n`);
  });

  it.each([["nonsense"], ["policy", "nonsense"], ["lab", "nonsense"]])(
    "refuses %s %s, which is no command",
    async (...words) => {
      await expect(run(process.execPath, [BIN, ...words])).rejects.toMatchObject({
        code: 1,
        stdout: "",
        stderr: `There is no command "${words.join(" ")}". See --help.\n`,
      });
    },
  );

  it("serves stdio when it is started without a command, as desktop configurations do", async () => {
    const initialize = {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
    };
    const { code, stdout } = await start(process.execPath, [BIN], {
      input: [`${JSON.stringify(initialize)}\n`],
    }).ended;
    expect(JSON.parse(stdout)).toMatchObject({ id: 1, result: { protocolVersion: "2025-11-25" } });
    expect(code).toBe(0);
    // A server more would show no more than whose help it is.
    expect((await start(process.execPath, [BIN, "--state", "x", "--help"]).ended).stdout).toBe(
      await helpOf("stdio"),
    );
  }, 180_000);
});

/** Returns a file and everything it imports statically, recursively. */
async function loadedWith(file: string, loaded = new Set<string>()): Promise<Set<string>> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  if (!file.endsWith(".ts")) return loaded;
  const source = await readFile(file, "utf8");
  for (const [, path = ""] of source.matchAll(/^(?:import|export)(?! type\b)[^"';()]*"(\.{1,2}\/[^"]+)"/gm))
    await loadedWith(join(dirname(file), path), loaded);
  return loaded;
}

describe("a file that a command reads", () => {
  it.each([
    ["lab bench", ["--products", "/nowhere/data"]],
    ["lab eval-injections", ["--data", "/nowhere/data"]],
    ["lab eval-search", ["--products", "/nowhere/products", "--judgments", "/nowhere/data"]],
    ["policy replay", ["/nowhere/data"]],
  ])("is named by %s in one line if it is missing", async (script, args) => {
    expect(await runCommand(script, args)).toEqual({
      code: 1,
      stdout: "",
      stderr: "/nowhere/data can't be read: there is no such file.\n",
    });
  });

  it("is named with the reason if it cannot be read", async () => {
    await expect(readText("/nowhere")).rejects.toThrow("/nowhere can't be read: there is no such file.");
    await expect(readText("cli")).rejects.toThrow("cli can't be read: it is a folder.");
  });

  it("is named with the first wrong field", () => {
    const schema = z.object({ key: z.object({ x: z.string() }) });
    const parse = (text: string) => parseJsonAs(schema, text, "key.json", "a key");
    expect(parse('{"key":{"x":"y"}}')).toEqual({ key: { x: "y" } });
    expect(() => parse("{")).toThrow(/^key\.json is not JSON: /);
    expect(() => parse('{"key":{}}')).toThrow("key.json is not a key: key.x: is missing");
    expect(() => parse("[]")).toThrow("key.json is not a key: Invalid input");
  });
});

describe("lab sample products", () => {
  it("prints valid records, the same for the same seed, including the four of the documentation", async () => {
    const [first, again, other] = await Promise.all([
      runCommand("lab sample", ["products", "--count", "200", "--seed", "7"]),
      runCommand("lab sample", ["products", "--count", "200", "--seed", "7"]),
      runCommand("lab sample", ["products", "--count", "200", "--seed", "8"]),
    ]);
    expect(again.stdout).toBe(first.stdout);
    expect(other.stdout).not.toBe(first.stdout);
    const records = first.stdout
      .trim()
      .split("\n")
      .map((line) => productRecordSchema.parse(JSON.parse(line)));
    expect(records).toHaveLength(200);
    expect(new Set(records.map(({ sku }) => sku)).size).toBe(200);
    expect(new Set(records.map(({ category }) => category)).size).toBeGreaterThanOrEqual(6);
    expect(records.map(({ name, price_minor }) => [name, price_minor])).toEqual(
      expect.arrayContaining([
        ["Wireless Keyboard", 7999],
        ["Cotton T-Shirt", 2499],
        ["Desk Lamp", 4999],
      ]),
    );
    expect(records.find(({ sku }) => sku === "SKU-12847")).toMatchObject({ status: "discontinued" });
  });

  it("refuses an invalid count", async () => {
    expect(await runCommand("lab sample", ["products", "--count", "many"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("whole number"),
    });
  });
});

describe("dev and ask", () => {
  let state: string;
  let dev: ChildProcess;
  let output = "";
  let url: string;
  const ask = (...args: string[]) => runCommand("ask", [...args, "--url", `${url}/mcp`]);

  beforeAll(async () => {
    state = await mkdtemp(join(tmpdir(), "catalog-state-"));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    dev = spawn(process.execPath, [BIN, "dev", "--port", String(port), "--state", state]);
    for (const stream of [dev.stdout, dev.stderr])
      stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    while (!output.includes("Ctrl-C")) await once(dev.stdout ?? dev, "data");
  });
  afterAll(async () => {
    if (dev.exitCode === null) {
      dev.kill("SIGINT");
      await once(dev, "exit");
    }
    await rm(state, { recursive: true });
  });

  it("prints the URL and how to go on, and nothing else", () => {
    expect(output).toContain(`claude mcp add --scope user --transport http product-catalog ${url}/mcp`);
    expect(output).not.toMatch(/warn|error|telemetry|update available/i);
  });

  it("lets nobody else read its lock", async () => {
    const path = join(state, "product-catalog.lock");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ pid: dev.pid, url });
  });

  it("answers a search as text and as JSON", async () => {
    const text = await ask("wireless keyboard");
    expect(text.stdout).toMatch(/SKU-10001: Wireless Keyboard.*\$79\.99.*in_stock/);
    expect((await ask("wireless", "keyboard")).stdout).toBe(text.stdout);
    const json: unknown = JSON.parse((await ask("wireless keyboard", "--json")).stdout);
    expect(json).toMatchObject({
      version: "v3",
      products: expect.arrayContaining([expect.objectContaining({ sku: "SKU-10001" })]),
    });
  });

  it("shows the next page by the cursor of the last one", async () => {
    const first = (await ask("keyboard", "--limit", "1")).stdout;
    const cursor = /call again with cursor "([^"]+)"/.exec(first)?.[1] ?? "";
    const second = await ask("keyboard", "--limit", "1", "--cursor", cursor);
    const [sku, next] = [first, second.stdout].map((text) => /SKU-\d+/.exec(text)?.[0]);
    expect(sku).toBeDefined();
    expect(next).toBeDefined();
    expect(next).not.toBe(sku);
  });

  it("answers live stock", async () => {
    const { stdout } = await ask("--sku", "SKU-12847", "SKU-1284");
    expect(stdout).toMatch(/SKU-12847: discontinued, stock 0/);
    expect(stdout).toMatch(/SKU-1284: not found, nearest: SKU-12847/);
  });

  it("fails with the server's own words if the server refuses", async () => {
    expect(await ask("x", "--category", "Nope")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Valid: Clothing, Electronics/),
    });
  });

  it("opens the local database only to the lock file's key", async () => {
    const body = JSON.stringify({ statements: [{ sql: "SELECT 1", values: [] }] });
    const knock = (headers: Record<string, string>) =>
      fetch(`${url}/__local/database`, { method: "POST", headers, body }).then((response) => response.status);
    const { key } = JSON.parse(await readFile(join(state, "product-catalog.lock"), "utf8"));
    expect(await knock({})).toBe(401);
    expect(await knock({ authorization: "Bearer x" })).toBe(401);
    expect(await knock({ authorization: `Bearer ${key}` })).toBe(200);
  });

  it("refuses to start twice on one state folder", async () => {
    expect(await runCommand("dev", ["--port", "0", "--state", state])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(url),
    });
  });

  it("ends on SIGINT and removes its lock", async () => {
    dev.kill("SIGINT");
    await once(dev, "exit");
    await expect(stat(join(state, "product-catalog.lock"))).rejects.toThrow(/ENOENT/);
    expect(await ask("keyboard")).toMatchObject({ code: 1 });
  });
});
