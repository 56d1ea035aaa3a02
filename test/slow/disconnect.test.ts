import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type Socket, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { addUser, createKey, newUserSchema } from "../../src/identity/administration.ts";

// Clients that disconnect or send slowly, over a real socket to workerd.

const DEADLINE_MS = 4_000;
const MARGIN_MS = 3_000;
const lineSchema = z.looseObject({
  event: z.string(),
  correlation_id: z.string().optional(),
  code: z.string().optional(),
});
const lines: z.output<typeof lineSchema>[] = [];
let folder: string;
let server: LocalServer;
let adminKey: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "disconnect-"));
  server = await startServer({
    stateDir: folder,
    entrypoint: "test/lagging/worker.ts",
    vars: { CALL_DEADLINE_MS: String(DEADLINE_MS) },
    onLog: (line) => lines.push(lineSchema.parse(JSON.parse(line))),
  });
  adminKey = await newKey("boss", ["admin"]);
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

async function newKey(id: string, roles: string[]): Promise<string> {
  const { secret, statement } = createKey({ user: id, label: "test" }, Date.now());
  await server.batch([...addUser(newUserSchema.parse({ id, name: id, roles }), Date.now()), statement]);
  return secret;
}

/** Sends the head of a POST and the given part of its body. */
async function post(path: string, headers: Record<string, string>, body: string): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    "Content-Type: application/json",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  return socket;
}

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
};
const categories = (meta?: object) =>
  JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "list_categories", arguments: {}, ...(meta && { _meta: meta }) },
  });

const recordSchema = z.looseObject({
  kind: z.string(),
  correlation_id: z.string().optional(),
  outcome: z.string().optional(),
});
async function auditOf(principal: string) {
  const response = await fetch(`${server.url}/admin/api/audit/${principal}`, {
    headers: { authorization: `Bearer ${adminKey}` },
  });
  const text = await response.text();
  // The first line is the header.
  const [, ...records] = text.trimEnd().split("\n");
  return records.map((line) => z.object({ record: recordSchema }).parse(JSON.parse(line)).record);
}

describe("a client that disconnects", () => {
  it.each([
    ["on the 2025 revisions", "early", {}, undefined],
    [
      "on 2026-07-28",
      "late",
      { "Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "list_categories" },
      META,
    ],
  ])("ends its call %s, which the audit records", async (_, user, headers, meta) => {
    const key = await newKey(user, ["shopper"]);
    const body = categories(meta);
    const sent = {
      ...headers,
      Accept: "application/json, text/event-stream",
      Authorization: `Bearer ${key}`,
      "Content-Length": String(body.length),
      "X-Lag-Ms": "1000",
    };
    const from = lines.length;
    const socket = await post("/mcp", sent, body);
    // The key is looked up within a second; then the call has begun.
    await expect
      .poll(() => lines.slice(from).some(({ event }) => event === "tool_invocation_started"), {
        timeout: 3_500,
      })
      .toBe(true);
    await sleep(300);
    const left = Date.now();
    socket.resetAndDestroy();
    const ended = () => lines.slice(from).find(({ event }) => event === "tool_invocation_refused");
    await expect.poll(ended, { timeout: MARGIN_MS }).toMatchObject({ code: "request_aborted" });
    expect(Date.now() - left).toBeLessThan(MARGIN_MS);
    const records = await auditOf(user);
    expect(records.find(({ kind }) => kind === "attempt")?.correlation_id).toBe(ended()?.correlation_id);
    expect(records.filter(({ kind }) => kind === "outcome")).toMatchObject([{ outcome: "request_aborted" }]);
  });

  it("does not interrupt a change half-way", async () => {
    const body = JSON.stringify({ id: "made-at-leave", name: "Made", roles: ["shopper"] });
    const sent = {
      Authorization: `Bearer ${adminKey}`,
      "Content-Length": String(body.length),
      "X-Lag-Ms": "500",
    };
    const socket = await post("/admin/api/users", sent, body);
    await sleep(700);
    socket.resetAndDestroy();
    const found = () =>
      server.batch([{ sql: "SELECT id FROM users WHERE id = ?1", values: ["made-at-leave"] }]);
    await expect.poll(found, { timeout: 10_000 }).toEqual([[{ id: "made-at-leave" }]]);
  });
});

describe("a body that arrives a byte at a time", () => {
  it.each([
    ["of a known length", "/mcp", { "Content-Length": "10000" }, (byte: string) => byte],
    ["in chunks", "/mcp", { "Transfer-Encoding": "chunked" }, (byte: string) => `1\r\n${byte}\r\n`],
    ["to the token endpoint", "/oauth/token", { "Content-Length": "10000" }, (byte: string) => byte],
  ])("%s ends at the deadline", async (_, path, headers, framed) => {
    const from = lines.length;
    const began = Date.now();
    const socket = await post(path, headers, "");
    let answer = "";
    socket.on("data", (data) => (answer += data.toString()));
    const trickle = setInterval(() => socket.write(framed("[")), 200);
    await expect.poll(() => answer, { timeout: DEADLINE_MS + 12_000 }).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(trickle);
    const tookMs = Date.now() - began;
    const deadline = path === "/mcp" ? DEADLINE_MS : 10_000;
    expect(tookMs).toBeLessThan(deadline + MARGIN_MS);
    const id = /^x-request-id: (.+)$/im.exec(answer)?.[1];
    await expect.poll(() => answer).toContain(`"correlationId":"${id}"`);
    expect(answer).toContain('"code":"request_aborted"');
    socket.destroy();
    const refused = () => lines.slice(from).find((line) => line.correlation_id === id);
    await expect.poll(refused).toMatchObject({ event: "request_refused", code: "request_aborted" });
  });
});
