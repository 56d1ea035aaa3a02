import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { blobs } from "../../../src/telemetry/points.ts";
import { fill, sample } from "../support/catalog.ts";
import { call, connectClient, post, send } from "../support/clients.ts";
import { ask, deskSample, fillDesk, signedInAs } from "../support/desk.ts";
import { listen } from "./support.ts";

const [pattern] = deskSample.customers;

beforeAll(async () => {
  if (pattern === undefined) throw new Error("no customer");
  await fill(sample);
  const many = Array.from({ length: 10 }, (_, index) => ({
    ...pattern,
    id: 20_000 + 40 * index,
    email: `q${index}@example.com`,
  }));
  await fillDesk({ ...deskSample, customers: [...deskSample.customers, ...many] });
});
afterEach(() => void vi.restoreAllMocks());

const message = (method: string, params: object) => ({ jsonrpc: "2.0", id: 1, method, params });
const completion = (ref: object) =>
  message("completion/complete", { ref, argument: { name: "sku", value: "SKU" } });

const cases = [
  {
    what: "a tool",
    asked: call("get_product", { sku: "SKU-10001" }),
    event: "tool_invocation_completed",
    tells: { tool_name: "get_product", records: 1, arguments: { sku: "text of 9" } },
  },
  {
    what: "a tool's wrong arguments",
    asked: call("get_product", { sku: 7 }),
    event: "tool_invocation_refused",
    tells: { tool_name: "get_product", code: "invalid_arguments", result_bytes: 0 },
  },
  {
    what: "a miss of a tool",
    asked: call("get_product", { sku: "SKU-9999999" }),
    event: "tool_invocation_refused",
    tells: { code: "not_found" },
  },
  {
    what: "a tool that does not exist",
    asked: call("drop_table_now", {}),
    event: "tool_invocation_refused",
    tells: { tool_name: "unknown", code: "unknown_tool" },
  },
  {
    what: "a resource",
    asked: message("resources/read", { uri: "catalog://products/SKU-10001" }),
    event: "resource_read",
    tells: { resource_uri: "catalog://products/{sku}" },
  },
  {
    what: "a resource that does not exist",
    asked: message("resources/read", { uri: "file:///etc/passwd" }),
    event: "resource_read_refused",
    tells: { resource_uri: "unknown", code: "not_found" },
  },
  {
    what: "a prompt",
    asked: message("prompts/get", { name: "find_product", arguments: { need: "a keyboard" } }),
    event: "prompt_get",
    tells: { prompt_name: "find_product" },
  },
  {
    what: "a completion",
    asked: completion({ type: "ref/resource", uri: "catalog://products/{sku}" }),
    event: "completion",
    tells: { completion_of: "catalog://products/{sku}" },
  },
  { what: "a list", asked: message("tools/list", {}), event: "discovery", tells: { method: "tools/list" } },
];

it.each(cases)("$what is logged once, as $event", async ({ asked, event, tells }) => {
  const { lines, points, until } = listen();
  await post(asked, { "user-agent": "agent/7" });
  const ended = await until(event);
  expect(ended).toMatchObject({
    principal: expect.stringMatching(/^[\w-]{12}$/),
    client: "agent/7",
    duration_ms: expect.any(Number),
    ...tells,
  });
  const of = lines().filter((line) => line["correlation_id"] === ended?.["correlation_id"]);
  const started = asked.method === "tools/call" ? ["tool_invocation_started"] : [];
  expect(of.map((line) => line.event)).toEqual([...started, event]);
  expect(points()).toHaveLength(1);
});

it("a call has one point, whose slots match its log line", async () => {
  const { points, until } = listen();
  await post(call("query_stock", { skus: ["SKU-10001"] }));
  const line = await until("tool_invocation_completed");
  const [point] = points();
  const named = Object.fromEntries(blobs.map(({ name }, index) => [name, point?.blobs?.[index]]));
  expect(named).toMatchObject({
    kind: "tool",
    name: "query_stock",
    status: "ok",
    code: "",
    principal: line?.["principal"],
    correlation_id: line?.["correlation_id"],
  });
  expect(point?.indexes).toEqual([line?.["principal"]]);
  expect(point?.doubles?.slice(1)).toEqual([line?.["result_bytes"], line?.["records"], 1, 0]);
});

it("both protocol eras are logged with their revision and the client's name", async () => {
  const { named } = listen();
  for (const era of ["2026-07-28", "2025"] as const) {
    const client = await connectClient(era);
    await client.callTool({ name: "list_categories", arguments: {} });
    await client.close();
  }
  await vi.waitUntil(() => named("tool_invocation_completed").length === 2, 3_000);
  const started = named("tool_invocation_started");
  expect(started.map((line) => line["protocol"])).toEqual(["2026-07-28", expect.stringMatching(/^2025-/)]);
  const opened = named("discovery");
  expect(opened.map((line) => line["client"])).toContain("test/1");
});

it("each call of a batch is logged separately", async () => {
  const { named, until } = listen();
  await post(["SKU-10001", "SKU-10002", "SKU-1"].map((sku, id) => call("get_product", { sku }, id)));
  await until("tool_invocation_refused");
  await vi.waitUntil(() => named("tool_invocation_completed").length === 2, 3_000);
  const all = [...named("tool_invocation_completed"), ...named("tool_invocation_refused")];
  expect(new Set(all.map((line) => line["correlation_id"])).size).toBe(3);
});

describe("a request refused before a call", () => {
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  it.each([
    { what: "invalid JSON", init: { method: "POST", body: "{", headers }, code: "malformed_request" },
    { what: "invalid JSON-RPC", init: { method: "POST", body: "[]", headers }, code: "malformed_request" },
    {
      what: "an unknown token",
      init: { method: "POST", body: "{}", headers: { ...headers, authorization: "Bearer nobody" } },
      code: "unauthenticated",
    },
    {
      what: "a page of another site",
      init: { method: "POST", body: "{}", headers: { ...headers, origin: "https://evil.example" } },
      code: "origin_denied",
    },
    {
      what: "another host",
      init: { method: "POST", body: "{}", headers: { ...headers, host: "evil.example" } },
      code: "origin_denied",
    },
    {
      what: "a body that is too large",
      init: { method: "POST", body: "x".repeat(1024 * 1024 + 1), headers },
      code: "request_too_large",
    },
  ])("is logged: $what", async ({ init, code }) => {
    const { lines, points } = listen();
    await send("/mcp", init);
    expect(lines()).toMatchObject([{ event: "request_refused", code }]);
    expect(points()).toHaveLength(1);
  });

  it("is logged once if a token lacks a scope", async () => {
    const { lines } = listen();
    const client = await signedInAs(["shopper"]);
    await post(call("close_ticket", { ticket_id: "T-5010", version: 1, resolution: "Done" }), client);
    expect(lines().map(({ event }) => event)).toEqual(["tool_invocation_started", "tool_invocation_refused"]);
    expect(lines()[1]).toMatchObject({ tool_name: "close_ticket", code: "permission_denied" });
  });
});

describe("flow rules", () => {
  it("are logged with the call that they stopped, by rule and mode", async () => {
    const { named, points } = listen();
    const agent = await signedInAs(["support"]);
    for (let index = 0; index < 9; index++)
      await ask(agent, "get_customer", { customer_id: `C-${20_000 + 40 * index}` });
    const [incident] = named("flow_incident");
    expect(incident).toMatchObject({
      rule: "unexplained-people",
      mode: "enforce",
      verdict: "confirm",
      target: "get_customer",
    });
    const [refused] = named("tool_invocation_refused");
    expect(refused).toMatchObject({
      code: "confirmation_required",
      flow_rules: expect.stringContaining("unexplained-people:enforce"),
    });
    expect(refused?.["correlation_id"]).toBe(incident?.["correlation_id"]);
    expect(JSON.stringify(points())).toContain("unexplained-people:enforce ");
  });

  it("that see only the answers of public calls are logged too", async () => {
    const { until } = listen();
    const agent = await signedInAs(["support"]);
    await ask(agent, "get_ticket", { ticket_id: "T-5002" });
    await ask(agent, "close_ticket", { ticket_id: "T-5010", version: 1, resolution: "Done" });
    const incident = await until("flow_incident");
    expect(incident).toMatchObject({
      rule: expect.stringMatching(/./),
      mode: expect.stringMatching(/^(enforce|flag)$/),
    });
  });
});
