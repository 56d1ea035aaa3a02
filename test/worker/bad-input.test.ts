import { beforeAll, describe, expect, it } from "vitest";
import { fill, sample } from "./support/catalog.ts";
import { call, post, send } from "./support/clients.ts";
import { modern } from "./support/modern.ts";

beforeAll(() => fill(sample));

const correlated = { correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/) };

describe("before dispatch", () => {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const initialize = { jsonrpc: "2.0", id: 1, method: "initialize", params };
  const nested = `${"[".repeat(100)}${"]".repeat(100)}`;
  it.each([
    ["malformed JSON", "{", 400, -32700, "malformed_request"],
    ["an empty body", "", 400, -32700, "malformed_request"],
    [
      "deep nesting",
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"a":${nested}}}`,
      400,
      -32600,
      "malformed_request",
    ],
    [
      "nesting to exhaust a stack",
      `${"[".repeat(200_000)}${"]".repeat(200_000)}`,
      400,
      -32600,
      "malformed_request",
    ],
    ["invalid JSON-RPC", "{}", 400, -32600, "malformed_request"],
    ["a bare number", "7", 400, -32600, "malformed_request"],
    ["an empty batch", "[]", 400, -32600, "malformed_request"],
    [
      "params that are a list",
      { jsonrpc: "2.0", id: 1, method: "tools/call", params: [1] },
      400,
      -32600,
      "malformed_request",
    ],
    [
      "params that are a string",
      { jsonrpc: "2.0", id: 1, method: "tools/call", params: "x" },
      400,
      -32600,
      "malformed_request",
    ],
    [
      "a batch of 101",
      Array.from({ length: 101 }, (_, id) => call("list_categories", {}, id)),
      400,
      -32600,
      "malformed_request",
    ],
    [
      "a batch with one id twice",
      [call("list_categories", {}, 1), call("list_categories", {}, 2), call("list_categories", {}, 1)],
      400,
      -32600,
      "malformed_request",
    ],
    ["a message without a method", { jsonrpc: "2.0", id: 1 }, 400, -32600, "malformed_request"],
    [
      "a question that is an answer too",
      { jsonrpc: "2.0", id: 1, method: "tools/list", result: {} },
      400,
      -32600,
      "malformed_request",
    ],
    [
      "a response that is not an object",
      { jsonrpc: "2.0", id: 1, result: "x" },
      400,
      -32600,
      "malformed_request",
    ],
    ["a response to no request", { jsonrpc: "2.0", result: {} }, 400, -32600, "malformed_request"],
    [
      "an initialize among others",
      [initialize, { jsonrpc: "2.0", id: 2, method: "tools/list" }],
      400,
      -32600,
      "malformed_request",
    ],
    [
      "a length that converts to nothing, where the body should be a list",
      { length: { toString: true } },
      400,
      -32600,
      "malformed_request",
    ],
    [
      "a length that converts to nothing, where an argument should be a list",
      call("query_stock", { skus: { length: { valueOf: 1, toString: 1 } } }),
      400,
      -32600,
      "malformed_request",
    ],
    ["5 MB", `"${"x".repeat(5_000_000)}"`, 413, -32600, "request_too_large"],
  ])("refuses %s", async (_, body, status, code, refusal) => {
    const { response, messages } = await post(body);
    expect(response.status).toBe(status);
    expect(messages).toMatchObject([
      { jsonrpc: "2.0", error: { code, data: { code: refusal, ...correlated } } },
    ]);
  });

  it("refuses the handshake of the 2025 revisions on 2026-07-28, which has none", async () => {
    const { body, headers } = modern("initialize", params);
    const { response, messages } = await post(body, headers);
    expect(response.status).toBe(404);
    expect(messages).toMatchObject([{ id: 1, error: { code: -32601, data: { code: "unknown_method" } } }]);
  });

  it.each(["mcp-protocol-version", "mcp-method", "mcp-name"])(
    "refuses a header %s that differs from the body",
    async (header) => {
      const { body, headers } = modern("tools/call", { name: "list_categories", arguments: {} });
      const other = {
        "mcp-protocol-version": "2025-11-25",
        "mcp-method": "tools/list",
        "mcp-name": "query_stock",
      };
      const differing = {
        ...headers,
        ...Object.fromEntries(Object.entries(other).filter(([name]) => name === header)),
      };
      const address = { "cf-connecting-ip": crypto.randomUUID() };
      const { response, messages } = await post(body, { ...differing, ...address });
      expect(response.status).toBe(400);
      expect(messages).toMatchObject([{ error: { code: -32_020 } }]);
      expect((await post(body, { ...headers, ...address })).response.status).toBe(200);
    },
  );

  it.each([
    ["a forged Host", { host: "evil.example" }],
    ["a Host that ends like ours", { host: "127.0.0.1.evil.example" }],
    ["a forged Origin", { origin: "https://evil.example" }],
    ["the null Origin", { origin: "null" }],
    ["an Origin that is not a URL", { origin: "127.0.0.1" }],
  ])("refuses %s", async (_, headers) => {
    const { response, messages } = await post(call("list_categories", {}), headers);
    expect(response.status).toBe(403);
    expect(messages).toMatchObject([{ error: { data: { code: "origin_denied", ...correlated } } }]);
  });

  it.each([
    { origin: "http://localhost:6274" },
    { host: "catalog.someone.workers.dev" },
    { host: "localhost:8787" },
  ])("serves %o", async (headers) => {
    const { response } = await post(call("list_categories", {}), headers);
    expect(response.status).toBe(200);
  });

  it.each([
    ["GET", 405],
    ["DELETE", 405],
    ["PUT", 405],
  ])("answers %s with %i", async (method, status) => {
    const response = await send("/mcp", { method });
    expect(response.status).toBe(status);
    expect(response.headers.get("allow")).toBe("POST");
  });

  it("answers another path with 404, another content type with 415", async () => {
    expect((await send("/secret")).status).toBe(404);
    const { response } = await post(call("list_categories", {}), { "content-type": "text/plain" });
    expect(response.status).toBe(415);
  });
});

describe("in dispatch", () => {
  const rpc = (method: string, params: unknown) => ({ jsonrpc: "2.0", id: 1, method, params });
  it.each([
    ["an unknown tool", rpc("tools/call", { name: "drop_tables", arguments: {} }), -32602, "unknown_tool"],
    ["a tool named like a prototype's", rpc("tools/call", { name: "__proto__" }), -32602, "unknown_tool"],
    ["a missing name", rpc("tools/call", { arguments: {} }), -32602, "invalid_arguments"],
    ["no params", rpc("tools/call", undefined), -32602, "invalid_arguments"],
    [
      "arguments that are a list",
      rpc("tools/call", { name: "get_product", arguments: [1] }),
      -32602,
      "invalid_arguments",
    ],
    [
      "arguments that are a string",
      rpc("tools/call", { name: "get_product", arguments: "x" }),
      -32602,
      "invalid_arguments",
    ],
    ["an unknown resource", rpc("resources/read", { uri: "catalog://nope" }), -32602, "not_found"],
    ["an invalid URI", rpc("resources/read", { uri: "%%%" }), -32602, "not_found"],
    ["an unknown product", rpc("resources/read", { uri: "catalog://products/SKU-0" }), -32602, "not_found"],
    ["a broken escape", rpc("resources/read", { uri: "catalog://products/%E0%A4" }), -32602, "not_found"],
    ["a missing URI", rpc("resources/read", {}), -32602, "invalid_arguments"],
    ["an unknown prompt", rpc("prompts/get", { name: "nope" }), -32602, "not_found"],
    ["a missing prompt argument", rpc("prompts/get", { name: "find_product" }), -32602, "invalid_arguments"],
    [
      "prompt arguments that are numbers",
      rpc("prompts/get", { name: "find_product", arguments: { need: 1 } }),
      -32602,
      "invalid_arguments",
    ],
    [
      "one product to compare",
      rpc("prompts/get", { name: "compare_products", arguments: { skus: "SKU-10001" } }),
      -32602,
      "invalid_arguments",
    ],
    [
      "an unknown product to compare",
      rpc("prompts/get", { name: "compare_products", arguments: { skus: "SKU-10001,SKU-0" } }),
      -32602,
      "not_found",
    ],
    [
      "completion of an unknown prompt",
      rpc("completion/complete", {
        ref: { type: "ref/prompt", name: "nope" },
        argument: { name: "a", value: "" },
      }),
      -32602,
      "not_found",
    ],
    ["completion without a ref", rpc("completion/complete", {}), -32602, "invalid_arguments"],
    ["a list with a made-up cursor", rpc("tools/list", { cursor: "abc" }), -32602, "invalid_arguments"],
    ["an unknown method", rpc("tools/destroy", {}), -32601, "unknown_method"],
  ])("refuses %s", async (_, body, code, refusal) => {
    const { response, messages, text } = await post(body);
    expect(response.status).toBe(200);
    expect(messages).toMatchObject([{ id: 1, error: { code, data: { code: refusal, ...correlated } } }]);
    expect(text).not.toMatch(/SELECT|SQLITE|D1_|\bat .*\.ts|node_modules/);
  });

  it("answers every call of a batch of 100, good and bad, each with its own reference", async () => {
    const batch = Array.from({ length: 100 }, (_, id) =>
      id % 2 === 0
        ? call("query_stock", { sku: "SKU-10001" }, id)
        : call("query_stock", { sku: "SKU-0" }, id),
    );
    const { messages } = await post(batch);
    expect(messages).toHaveLength(100);
    const references = new Set(JSON.stringify(messages).match(/"correlationId":"[^"]+"/g));
    expect(references.size).toBe(50);
  });

  it("answers a batch that cancels one of its own calls, and does not wait forever", async () => {
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } };
    for (const batch of [
      [cancel, call("list_categories", {})],
      [call("list_categories", {}), cancel],
    ])
      expect((await post(batch)).messages).toMatchObject([{ id: 1, result: { structuredContent: {} } }]);
    expect((await post([cancel])).response.status).toBe(202);
    expect((await post(cancel)).response.status).toBe(202);
  });

  it("answers an unknown method with 404 on 2026-07-28", async () => {
    const meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
      "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
    };
    const { response, messages } = await post(rpc("tools/destroy", { _meta: meta }), {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/destroy",
    });
    expect(response.status).toBe(404);
    expect(messages).toMatchObject([{ error: { code: -32601 } }]);
  });
});
