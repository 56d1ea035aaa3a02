import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { readableLine } from "../../cli/local/log-lines.ts";

const PROMTOOL = "/usr/bin/promtool";
const METRICS_TOKEN = "the scrape token of a test";
const lines: string[] = [];
let folder: string;
let server: LocalServer;

beforeAll(async () => {
  if (!existsSync(PROMTOOL)) throw new Error("There is no promtool here: apt-get install prometheus");
  folder = await mkdtemp(join(tmpdir(), "metrics-"));
  server = await startServer({
    stateDir: folder,
    vars: { METRICS_TOKEN },
    onLog: (line) => lines.push(line),
  });
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

async function ask(method: string, params: object): Promise<void> {
  const response = await fetch(`${server.url}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  await response.text();
}

it("promtool has nothing to say against /metrics, and the log is JSON that reads well", async () => {
  await ask("tools/list", {});
  for (const name of ["list_categories", "search_products", "nothing"])
    await ask("tools/call", { name, arguments: { query: "keyboard" } });
  await ask("resources/read", { uri: "catalog://categories" });
  const response = await fetch(`${server.url}/metrics`, {
    headers: { authorization: `Bearer ${METRICS_TOKEN}` },
  });
  const text = await response.text();
  expect(response.status).toBe(200);
  expect(text).toContain('mcp_tool_invocations_total{tool_name="search_products",status="ok"} 1\n');
  expect(execFileSync(PROMTOOL, ["check", "metrics"], { input: text, encoding: "utf8", stdio: "pipe" })).toBe(
    "",
  );

  await expect.poll(() => lines.filter((line) => line.includes('"resource_read"')).length).toBe(1);
  for (const line of lines) {
    expect(JSON.parse(line)).toHaveProperty("event");
    expect(readableLine(line)).not.toContain('"event"');
  }
});
