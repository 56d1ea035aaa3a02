import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { readableLine } from "../../cli/local/log-lines.ts";
import { missingPrograms } from "../node/support/programs.ts";

const METRICS_TOKEN = "the scrape token of a test";
const lines: string[] = [];
let folder: string;
let server: LocalServer;

beforeAll(async () => {
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

const readMetrics = async () => {
  const response = await fetch(`${server.url}/metrics`, {
    headers: { authorization: `Bearer ${METRICS_TOKEN}` },
  });
  expect(response.status).toBe(200);
  return response.text();
};

it("counts calls, and writes a readable JSON log", async () => {
  await ask("tools/list", {});
  for (const name of ["list_categories", "search_products", "nothing"])
    await ask("tools/call", { name, arguments: { query: "keyboard" } });
  await ask("resources/read", { uri: "catalog://categories" });
  expect(await readMetrics()).toContain(
    'mcp_tool_invocations_total{tool_name="search_products",status="ok"} 1\n',
  );

  await expect.poll(() => lines.filter((line) => line.includes('"resource_read"')).length).toBe(1);
  for (const line of lines) {
    expect(JSON.parse(line)).toHaveProperty("event");
    expect(readableLine(line)).not.toContain('"event"');
  }
});

it("promtool accepts /metrics", async ({ skip }) => {
  if (missingPrograms(["promtool"]).length > 0) skip("promtool is not installed (Debian: prometheus)");
  const input = await readMetrics();
  expect(input).toContain("mcp_tool_invocations_total{");
  expect(execFileSync("promtool", ["check", "metrics"], { input, encoding: "utf8", stdio: "pipe" })).toBe("");
});
