import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as Client2025 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as Transport2025 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { demoKeys } from "../../../cli/local/demo-users.ts";
import { readLock } from "../../../cli/local/lock-file.ts";
import { type LocalServer, startServer } from "../../../cli/local/server.ts";
import { LINE_MAX, createBridge } from "../../../cli/stdio/bridge.ts";
import { keepServer } from "../../../cli/stdio/keep-server.ts";
import { readLines } from "../../../cli/stdio/lines.ts";
import { product, seed } from "../support/imports.ts";
import { startCommand, within } from "../support/processes.ts";
import { runCommand } from "../support/run-command.ts";
import { HOST_PATH, callTool, documentedCommand, initialize, modern, request } from "../support/stdio.ts";

let folder: string;
let state: string;
let server: LocalServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-stdio-test-"));
  state = join(folder, "state");
  server = await startServer({ stateDir: state });
  await seed(server, [product({ sku: "SKU-12847", name: "Wireless Keyboard" })]);
  await demoKeys(server, state);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const answerSchema = z.looseObject({
  id: z.union([z.string(), z.number(), z.null()]),
  result: z.looseObject({}).optional(),
  error: z.looseObject({ code: z.int(), data: z.looseObject({ code: z.string() }).optional() }).optional(),
});

/** Returns the bridge's answers to lines that arrive at once. */
async function exchange(...lines: unknown[]): Promise<unknown[]> {
  const kept = keepServer(state, () => {});
  const written: unknown[] = [];
  const take = createBridge(
    (...asked) => kept.call(...asked),
    async (message) => {
      written.push(message);
    },
  );
  const underWay = [];
  for await (const line of readLines(asInput(lines), LINE_MAX)) underWay.push(take(line));
  await Promise.all(underWay);
  return written;
}
async function* asInput(lines: unknown[]) {
  for (const line of lines) yield Buffer.from(`${typeof line === "string" ? line : JSON.stringify(line)}\n`);
}
const answersTo = async (...lines: unknown[]) => z.array(answerSchema).parse(await exchange(...lines));

describe("lines", () => {
  it("are answered on both eras, each whole and by its id", async () => {
    const stock = (id: unknown) => callTool(id, "query_stock", { skus: ["SKU-12847"] });
    const answers = await answersTo(
      initialize(1),
      { jsonrpc: "2.0", method: "notifications/initialized" },
      stock(2),
      request(3, "ping"),
      modern(stock("modern")),
      modern(request("discover", "server/discover")),
      modern(request("read", "resources/read", { uri: "catalog://products/SKU-12847", name: "x" })),
      "",
    );
    const byId = new Map(answers.map(({ id, result }) => [id, result]));
    expect(new Set(byId.keys())).toEqual(new Set([1, 2, 3, "discover", "modern", "read"]));
    expect(byId.get(1)).toMatchObject({ protocolVersion: "2025-11-25" });
    for (const id of [2, "modern"])
      expect(byId.get(id)).toMatchObject({ structuredContent: { items: [{ sku: "SKU-12847" }] } });
    expect(byId.get("read")).toMatchObject({ resultType: "complete", contents: [{}] });
  });

  it.each<[string, unknown, { id: unknown; code: number; said: string | undefined }]>([
    ["is not JSON", "not json", { id: null, code: -32700, said: "malformed_request" }],
    ["is not a message", "7", { id: null, code: -32600, said: "malformed_request" }],
    [
      "has params that are text",
      callTool(7, "x").params && { ...callTool(7, "x"), params: "x" },
      { id: 7, code: -32600, said: "malformed_request" },
    ],
    [
      "has no id that is one",
      { ...callTool(7, "x"), id: {} },
      { id: null, code: -32600, said: "malformed_request" },
    ],
    ["names no tool", callTool("a", "nope"), { id: "a", code: -32602, said: "unknown_tool" }],
    [
      "names a tool in letters that no header has",
      modern(callTool("ø", "nø")),
      { id: "ø", code: -32602, said: "unknown_tool" },
    ],
    [
      "asks for a method that there is not",
      request(7, "no/such"),
      { id: 7, code: -32601, said: "unknown_method" },
    ],
    ["asks for it on 2026-07-28", modern(request(7, "no/such")), { id: 7, code: -32601, said: undefined }],
    ["is an empty batch", [], { id: null, code: -32600, said: "malformed_request" }],
    [
      "is too large",
      callTool(7, "x", { a: "x".repeat(1024 * 1024) }),
      { id: 7, code: -32600, said: "request_too_large" },
    ],
    [
      "is too large to be read",
      callTool(7, "x", { a: "x".repeat(8 * 1024 * 1024) }),
      { id: null, code: -32600, said: "request_too_large" },
    ],
  ])("refuses one that %s, and answers the next", async (_, line, { id, code, said }) => {
    const answers = await answersTo(line, request("next", "ping"));
    expect(answers).toHaveLength(2);
    expect(answers).toContainEqual(expect.objectContaining({ id: "next", result: {} }));
    const refused = answers.find((answer) => answer.id !== "next");
    expect(refused).toMatchObject({
      id,
      error: { code, ...(said !== undefined && { data: { code: said } }) },
    });
  });

  it("answers a batch in one line", async () => {
    const [batch, ...others] = await exchange([request(1, "ping"), callTool(2, "nope")]);
    expect(others).toEqual([]);
    expect(batch).toHaveLength(2);
    expect(batch).toContainEqual(expect.objectContaining({ id: 1, result: {} }));
    expect(batch).toContainEqual(expect.objectContaining({ id: 2, error: expect.anything() }));
  });

  it("with only notifications get no answer, batched or not", async () => {
    const notification = { jsonrpc: "2.0", method: "notifications/initialized" };
    expect(await exchange(notification, [notification, notification])).toEqual([]);
  });

  it.each([null, [], "text", { _meta: null }])(
    "with a notification get no answer, whatever its params: %j",
    async (params) => {
      const notification = { jsonrpc: "2.0", method: "notifications/initialized", params };
      expect(await exchange(notification, [notification])).toEqual([]);
    },
  );

  it.each(["9007199254740993", "-9007199254740993", "1e400", "1.5"])(
    "refuses the id %s, which an answer could not repeat, with the id null",
    async (id) => {
      const answers = await answersTo(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
      expect(answers).toMatchObject([{ id: null, error: { code: -32600 } }]);
    },
  );

  it.each(["\u0085", "\u2028", "\u2029"])(
    "answers text with the line separator %j whole, by its id",
    async (mark) => {
      const ask = (id: unknown) =>
        request(id, "prompts/get", { name: "find_product", arguments: { need: `a${mark}b` } });
      const answers = await answersTo(initialize(1), ask(2), ask(`id${mark}`));
      expect(new Set(answers.map(({ id }) => id))).toEqual(new Set([1, 2, `id${mark}`]));
      expect(JSON.stringify(answers)).toContain(`I need: a${mark}b`);
    },
  );

  it("names the client of initialize in the records of its later calls", async () => {
    await exchange(initialize(1, { name: "Hôte №1", version: "2" }), callTool(2, "list_categories"));
    const { stdout } = await runCommand("audit", ["export", "local", "--state", state]);
    const record = stdout.split("\n").findLast((line) => line.includes('"list_categories"'));
    expect(record).toContain('"client":"Hôte №1/2"');
  });

  it("a cancelled request is not answered", async () => {
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };
    const answers = await answersTo(
      callTool(1, "query_stock", { skus: ["SKU-12847"] }),
      cancel,
      request(2, "ping"),
    );
    expect(answers.map(({ id }) => id)).toEqual([2]);
  });

  it("answers many at once", async () => {
    const ids = Array.from({ length: 200 }, (_, id) => id);
    const answers = await answersTo(...ids.map((id) => request(id, "ping")));
    expect(answers.map(({ id }) => Number(id)).toSorted((a, b) => a - b)).toEqual(ids);
  });
});

describe("npm run stdio", () => {
  const start = (input: Iterable<string> | AsyncIterable<string>) =>
    startCommand("stdio", ["--state", state], { input });
  const line = (message: unknown) => `${JSON.stringify(message)}\n`;

  it("answers everything in the pipe, prints nothing else, and ends with it", async () => {
    const marked = { name: "find_product", arguments: { need: "a quiet\u2028keyboard\u0085" } };
    const lines = [
      initialize(1),
      { jsonrpc: "2.0", method: "notifications/initialized" },
      callTool(2, "nope"),
      request(3, "prompts/get", marked),
    ];
    const { code, stdout, stderr } = await within(20_000, start(lines.map(line)));
    const answers = stdout.trim().split("\n");
    expect(new Set(answers.map((each) => answerSchema.parse(JSON.parse(each)).id))).toEqual(
      new Set([1, 2, 3]),
    );
    expect(stdout).not.toMatch(/[\u0085\u2028\u2029]/);
    expect(stderr).toBe(`Connected to the running server: ${server.url}/mcp\n`);
    expect(code).toBe(0);
  });

  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("ends on %s with exit code 0", async (signal) => {
    const input = async function* () {
      yield line(initialize(1));
      await new Promise(() => {});
    };
    const running = start(input());
    await running.prints("protocolVersion");
    running.kill(signal);
    expect(await within(5_000, running)).toMatchObject({ code: 0 });
  });
});

describe("the command of docs/stdio.md, on the host's own Node", () => {
  const ask = { name: "search_products", arguments: { query: "keyboard" } };
  const found = { structuredContent: { products: [{ sku: "SKU-12847" }] } };
  const transport = async () => ({
    ...(await documentedCommand(state)),
    env: { PATH: HOST_PATH },
    stderr: "ignore" as const,
  });

  it.each([
    ["2026-07-28", { mode: { pin: "2026-07-28" } }],
    ["2026-07-28", { mode: "auto" }],
    ["2025-11-25", { mode: "legacy" }],
  ] as const)("serves the official client on %s, %j", async (version, versionNegotiation) => {
    const client = new Client({ name: "stdio-test", version: "1" }, { versionNegotiation });
    await client.connect(new StdioClientTransport(await transport()));
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain("close_ticket");
    expect(await client.callTool(ask)).toMatchObject(found);
    await client.close();
  });

  it("serves the official client of the 2025 generation", async () => {
    const client = new Client2025({ name: "stdio-test", version: "1" });
    await client.connect(new Transport2025(await transport()));
    expect((await client.listTools()).tools).not.toEqual([]);
    expect(await client.callTool(ask)).toMatchObject(found);
    await client.close();
  });
});

describe("the principal", () => {
  it("over stdio is `local` with the policy's role, also in the audit", async () => {
    await exchange(initialize(1), callTool(2, "search_customers", { query: "nobody" }));
    const { stdout } = await runCommand("audit", ["export", "local", "--state", state]);
    expect(stdout).toContain('"search_customers"');
    expect(stdout).toContain('"support"');
  });

  it.each<[string, string, (key: string) => string | undefined]>([
    ["without a key", "/__local/mcp", () => undefined],
    ["with another key", "/__local/mcp", (key) => `Bearer ${key.slice(1)}`],
    ["with the key alone", "/__local/mcp", (key) => key],
    ["with the key at the public door", "/mcp", (key) => `Bearer ${key}`],
  ])("over HTTP %s at %s is refused: 401", async (_, path, header) => {
    const authorization = header((await readLock(state))?.key ?? "");
    const response = await fetch(`${server.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(authorization !== undefined && { authorization }) },
      body: JSON.stringify(initialize(1)),
    });
    expect(response.status).toBe(401);
  });
});
