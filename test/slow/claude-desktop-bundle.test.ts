import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client, ProtocolError } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OlderClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OlderTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { demoKeys } from "../../cli/local/demo-users.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import manifest from "../../package.json" with { type: "json" };
import { product, seed } from "../node/support/imports.ts";
import { BIN } from "../node/support/processes.ts";
import { HOST_PATH } from "../node/support/stdio.ts";

// The bundle as Claude Desktop would use it: packed by the command, unpacked and checked by the official tool, and started as its
// manifest says.

const run = promisify(execFile);
const mcpb = (...args: string[]) =>
  run(process.execPath, ["node_modules/@anthropic-ai/mcpb/dist/cli/cli.js", ...args]);

const manifestSchema = z.object({
  version: z.string(),
  server: z.object({
    mcp_config: z.object({
      command: z.string(),
      args: z.array(z.string()),
      env: z.record(z.string(), z.string()),
    }),
  }),
  tools: z.array(z.object({ name: z.string() })),
  privacy_policies: z.array(z.string()),
  user_config: z.object({
    url: z.object({ required: z.literal(true), default: z.string() }),
    key: z.object({ required: z.literal(true), sensitive: z.literal(true) }),
  }),
});

let folder: string;
let packed: string;
let unpacked: string;
let said: z.output<typeof manifestSchema>;
let server: LocalServer;
let keys: Record<string, string>;
const clients: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-bundle-test-"));
  packed = join(folder, "catalog.mcpb");
  unpacked = join(folder, "unpacked");
  const options = ["--url", "https://shop.example", "--privacy-policy", "https://shop.example/privacy"];
  await run(process.execPath, [BIN, "bundle", ...options, "--output", packed]);
  await mcpb("unpack", packed, unpacked);
  said = manifestSchema.parse(JSON.parse(await readFile(join(unpacked, "manifest.json"), "utf8")));
  const stateDir = join(folder, "state");
  server = await startServer({ stateDir, vars: { LOCAL_ANONYMOUS: "off" } });
  await seed(server, [product({ sku: "SKU-10001" })]);
  keys = await demoKeys(server, stateDir);
});
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** Returns the manifest's command, with the person's answers filled in as the host does. */
function commandWith(answers: Record<string, string>) {
  const { command, args, env } = said.server.mcp_config;
  const fill = (text: string) =>
    text
      .replaceAll("${__dirname}", unpacked)
      .replaceAll(/\$\{user_config\.(\w+)\}/g, (whole, name: string) => answers[name] ?? whole);
  const filled = Object.entries(env).map(([name, value]) => [name, fill(value)]);
  return { command, args: args.map(fill), env: { PATH: HOST_PATH, ...Object.fromEntries(filled) } };
}

async function connect(answers: Record<string, string>): Promise<Client> {
  const client = new Client({ name: "desktop", version: "1" }, { versionNegotiation: { mode: "auto" } });
  clients.push(client);
  await client.connect(new StdioClientTransport({ ...commandWith(answers), stderr: "ignore" }));
  return client;
}

const ask = { name: "query_stock", arguments: { skus: ["SKU-10001"] } };
const found = { structuredContent: { items: [{ sku: "SKU-10001", stock: 3 }] } };

describe("the bundle for Claude Desktop", () => {
  it("passes mcpb validate, is small, and has this version", async () => {
    expect((await mcpb("validate", unpacked)).stdout).toContain("Manifest schema validation passes!");
    expect((await stat(packed)).size).toBeLessThan(200 * 1024);
    expect(said.version).toBe(manifest.version);
    expect(said.user_config.url.default).toBe("https://shop.example/mcp");
    expect(said.privacy_policies).toEqual(["https://shop.example/privacy"]);
  });

  it("serves the newest client, by the key's roles", async () => {
    const client = await connect({ url: `${server.url}/mcp`, key: keys["user-support"] ?? "" });
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toHaveLength(13);
    expect(names).toEqual(expect.arrayContaining(said.tools.map(({ name }) => name)));
    expect(await client.callTool(ask)).toMatchObject(found);
  });

  it("serves a client of 2025, and takes the server's address without a path", async () => {
    const client = new OlderClient({ name: "desktop", version: "1" });
    clients.push(client);
    const command = commandWith({ url: ` ${server.url} `, key: keys["user-001"] ?? "" });
    await client.connect(new OlderTransport({ ...command, stderr: "ignore" }));
    expect(await client.callTool(ask)).toMatchObject(found);
  });

  it("passes on why the server refuses the key", async () => {
    const refused = connect({ url: server.url, key: "pcm_wrong" });
    await expect(refused).rejects.toThrow(/key_malformed/);
    await expect(refused).rejects.toBeInstanceOf(ProtocolError);
  });

  it("answers unavailable if no server can be reached", async () => {
    const refused = connect({ url: "http://127.0.0.1:9", key: keys["user-001"] ?? "" });
    await expect(refused).rejects.toMatchObject({ data: { code: "unavailable", retryable: true } });
  });

  it.each([
    ["http://shop.example/mcp", "unencrypted"],
    ["shop", "is not a URL"],
    ["", "is not a URL"],
  ])("does not send the key to %j", async (url, why) => {
    const { command, args, env } = commandWith({ url, key: keys["user-001"] ?? "" });
    await expect(run(command, args, { env })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(why),
    });
  });
});
