import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestHarness } from "wrangler";
import { undoDevVars } from "../own-settings.ts";

// The bundle that `wrangler deploy` makes, in a runtime that blocks code generation from strings: a schema
// validator that compiles (AJV) passes every test inside the test runner and fails here.
const harness = createTestHarness({ workers: [{ configPath: "./wrangler.toml", vars: undoDevVars() }] });
let url: URL;
beforeAll(async () => {
  ({ url } = await harness.listen());
});
afterAll(() => harness.close());

async function connect(pin?: string): Promise<Client> {
  const versionNegotiation = pin === undefined ? { mode: "legacy" as const } : { mode: { pin } };
  const client = new Client({ name: "bundle-test", version: "1" }, { versionNegotiation });
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url)));
  return client;
}

describe.each([["2026-07-28"], [undefined]])("the bundle, on protocol %s", (pin) => {
  it("migrates itself while first requests race, then answers from an empty catalog", async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(pin)));
    const answers = await Promise.all(
      clients.map((client) => client.callTool({ name: "search_products", arguments: { query: "keyboard" } })),
    );
    for (const answer of answers) {
      expect(answer.structuredContent).toMatchObject({
        products: [],
        notice: expect.stringContaining("catalog"),
      });
    }
    await Promise.all(clients.map((client) => client.close()));
  });

  it("answers bad arguments and unexpected errors from the table of refusals", async () => {
    const client = await connect(pin);
    const bad = await client.callTool({ name: "search_products", arguments: { query: 7 } });
    expect(bad).toMatchObject({
      isError: true,
      _meta: { "product-catalog-mcp/refusal": { code: "invalid_arguments" } },
    });
    await client.close();
  });
});

it.each(["/__local/database", "/__local/mcp"])("does not serve %s", async (path) => {
  const response = await harness.fetch(path, { method: "POST", body: "{}" });
  expect(response.status).toBe(404);
});

it("answers a forged Host with 403", async () => {
  const response = await harness.fetch("http://evil.example/mcp", { method: "POST", body: "{}" });
  expect(response.status).toBe(403);
});

it.each([
  ["is wrong", { PUBLIC_URL: "ftp://x" }, ["PUBLIC_URL"]],
  ["lacks its companions", { OIDC_CLIENT_SECRET: "PLANTED-secret" }, ["OIDC_ISSUER", "OIDC_CLIENT_ID"]],
])("serves nothing if a setting %s, and only its log says which", async (_, vars, expected) => {
  const broken = createTestHarness({
    workers: [{ configPath: "./wrangler.toml", vars: { ...undoDevVars(), ...vars } }],
  });
  await broken.listen();
  const response = await broken.fetch("/mcp", { method: "POST", body: "{}" });
  expect(response.status).toBe(503);
  expect(await response.text()).toBe(
    "This server is not configured: a setting is not valid. Its log says which.\n",
  );
  const log = broken.getLogs().map(({ message }) => message);
  const named = log.filter((line) => line.includes("setting_wrong")).map((line): unknown => JSON.parse(line));
  expect(named).toEqual(expected.map((setting) => expect.objectContaining({ setting })));
  expect(log.join("\n")).not.toMatch(/^\s+at |internal_error|PLANTED/m);
  await broken.close();
});

it("serves a deployed host at once: makes its secret key and its tables, and shows the setup page", async () => {
  // The harness talks http to the Worker.
  const vars = { PUBLIC_URL: "https://shop.example.workers.dev" };
  const fresh = createTestHarness({
    workers: [{ configPath: "./wrangler.toml", vars: { ...undoDevVars(), ...vars } }],
  });
  await fresh.listen();
  expect((await fresh.fetch("https://shop.example.workers.dev/readyz")).status).toBe(200);
  const page = await fresh.fetch("https://shop.example.workers.dev/setup");
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('action="/setup/code"');
  await fresh.close();
});
