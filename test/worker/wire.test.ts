import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import page from "../../docs/leniency.md?raw";
import { policyInForce } from "../../src/policy/bundled.ts";
import { prepareCall, toolsByName } from "../../src/mcp/targets.ts";
import { fill, sample } from "./support/catalog.ts";
import { call, post, send } from "./support/clients.ts";
import { ask, fillDesk, signedInAs } from "./support/desk.ts";
import { modern } from "./support/modern.ts";
import { listen } from "./telemetry/support.ts";

beforeAll(async () => {
  await fill(sample);
  await fillDesk();
});
afterEach(() => void vi.restoreAllMocks());

const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
const rows = (pattern: RegExp) => [...page.matchAll(pattern)].map((match) => match.slice(1));
const ARGUMENTS = rows(/^\| `(\w+)` \| `([^`]+)` \| (refused|`[^`]+`) \|$/gm);

describe("the examples of docs/leniency.md", () => {
  it.each(rows(/^\| [^|]+ \| `(\{"jsonrpc[^`]+)` \| [^|]+ \|$/gm))("%s is answered", async (message) => {
    const { messages } = await post(message ?? "");
    expect(messages).toEqual([{ jsonrpc: "2.0", id: 1, result: expect.anything() }]);
  });

  it.each(ARGUMENTS)("%s %s: %s", (name, sent, read) => {
    const tool = toolsByName.get(name ?? "");
    if (tool === undefined) throw new Error(`There is no tool ${name}.`);
    const { args, work } = prepareCall(tool, JSON.parse(sent ?? ""), policyInForce());
    expect(work.ok).toBe(read !== "refused");
    if (read !== "refused") expect(args).toEqual(JSON.parse(read?.slice(1, -1) ?? ""));
  });

  it.each(
    ARGUMENTS.flatMap(([name, sent, read]) => {
      const tool = toolsByName.get(name ?? "");
      const earlier = tool?.previous.flatMap(({ names }) => names) ?? [];
      return earlier.map((version) => ({ name, tool, version, sent, read }));
    }),
  )("$name $sent: $read, as in the current version, in $version", ({ tool, version, sent, read }) => {
    if (tool === undefined) throw new Error("There is no such tool.");
    const { args, work } = prepareCall(tool, { ...JSON.parse(sent ?? ""), version }, policyInForce());
    expect(work.ok).toBe(read !== "refused");
    // The arguments of an earlier version become those of the current one, with its defaults.
    if (read !== "refused") expect(args).toMatchObject(JSON.parse(read?.slice(1, -1) ?? ""));
  });

  it("are all found", () => {
    expect(rows(/^\| [^|]+ \| `(\{"jsonrpc)/gm)).toHaveLength(4);
    expect(rows(/^\| `(\w+)` \|/gm)).toHaveLength(12);
  });
});

describe("a tool that writes", () => {
  it.each(["", null, "1", "true", "false"])("takes %j in no optional argument", (value) => {
    const optional = [...toolsByName.values()]
      .filter(({ definition }) => definition.annotations.readOnlyHint !== true)
      .flatMap((tool) => {
        const { properties, required } = z
          .object({
            properties: z.record(z.string(), z.looseObject({ type: z.unknown() })),
            required: z.array(z.string()).default([]),
          })
          .parse(tool.definition.inputSchema);
        const isText = (name: string) => value !== null && properties[name]?.type === "string";
        return Object.keys(properties)
          .filter((name) => !required.includes(name) && !isText(name))
          .map((name) => ({ tool, name }));
      });
    expect(optional.length).toBeGreaterThan(0);
    for (const { tool, name } of optional) {
      const args = Object.assign({}, tool.examples[0], { [name]: value });
      const { work } = prepareCall(tool, args, policyInForce());
      expect(work).toMatchObject({ ok: false, refusal: { code: "invalid_arguments" } });
    }
  });

  it("takes no null in place of its arguments", () => {
    const tool = toolsByName.get("close_ticket");
    expect(tool && prepareCall(tool, null, policyInForce()).work.ok).toBe(false);
  });

  it("leaves the ticket open if an optional argument is empty", async () => {
    const staff = await signedInAs(["support"]);
    const { refusal } = await ask(staff, "close_ticket", {
      ticket_id: "T-5001",
      resolution: "Done",
      version: "",
    });
    expect(refusal).toMatchObject({ code: "invalid_arguments" });
    expect((await ask(staff, "get_ticket", { ticket_id: "T-5001" })).value).toMatchObject({ status: "open" });
  });
});

describe("an unknown argument", () => {
  it.each(["search_products", "close_ticket"])(
    "of %s is refused with the names of the known ones",
    async (name) => {
      const staff = await signedInAs(["support"]);
      const example: unknown = toolsByName.get(name)?.examples[0];
      const { refusal, text } = await ask(staff, name, Object.assign({}, example, { action: "x" }));
      expect(refusal).toMatchObject({ code: "invalid_arguments" });
      expect(text).toMatch(/Valid arguments: \w+, \w+/);
    },
  );

  it.each(
    [...toolsByName.values()].flatMap((tool) =>
      [tool, ...tool.previous].flatMap(({ names, definition }) =>
        (names.length === 0 ? [undefined] : names).map((version) => ({ tool, version, definition })),
      ),
    ),
  )("of $tool.name in $version is refused with the names of all", ({ tool, version, definition }) => {
    const { properties } = z
      .object({ properties: z.record(z.string(), z.unknown()) })
      .parse(definition.inputSchema);
    const sent = { action: "x", ...(version !== undefined && { version }) };
    const { work } = prepareCall(tool, sent, policyInForce());
    const [, named = ""] = /Valid arguments: ([\w, ]+)/.exec(work.ok ? "" : work.refusal.message) ?? [];
    const known = [...Object.keys(properties), ...(version === undefined ? [] : ["version"])];
    expect(new Set(named.split(", "))).toEqual(new Set(known));
  });

  it("inside an argument is refused with its place and the names of the known ones there", () => {
    const tool = toolsByName.get("update_inventory");
    const changes = [{ sku: "SKU-10001", warehouse: "east", set: 1, action: "x" }];
    expect(tool && prepareCall(tool, { changes, reason: "Counted" }, policyInForce()).work).toMatchObject({
      refusal: {
        message: expect.stringMatching(/changes\.0: .*Valid arguments: sku, warehouse, delta, set/),
      },
    });
  });

  it.each(["query_stock", "close_ticket"])("of %s is refused if it is named __proto__", async (name) => {
    const [example] = toolsByName.get(name)?.examples ?? [];
    const args = JSON.stringify(example).replace("{", '{"__proto__":{"x":1},');
    const { messages } = await post(
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`,
    );
    expect(messages).toMatchObject([{ error: { data: { code: "malformed_request" } } }]);
  });
});

describe("the path", () => {
  it.each(["/mcp/", "/mcp"])("%s serves the endpoint", async (path) => {
    const response = await send(path, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(ping) });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
  });
});
const JSON_TYPE = { "content-type": "application/json" };

describe("Accept", () => {
  const request = (accept: string | undefined, { body, headers = {} }: { body: unknown; headers?: object }) =>
    send("/mcp", {
      method: "POST",
      headers: { ...JSON_TYPE, ...headers, ...(accept !== undefined && { accept }) },
      body: JSON.stringify(body),
    });
  const stock = call("query_stock", { sku: "SKU-10001" });
  const plain = [
    undefined,
    "",
    "*/*",
    "application/json",
    "application/*, text/*",
    "text/html",
    "text/plain;q=0.5",
  ];

  it.each(plain)("%j is answered in plain JSON", async (accept) => {
    const response = await request(accept, { body: stock });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject({
      id: 1,
      result: { structuredContent: { sku: "SKU-10001" } },
    });
  });

  it.each(["text/event-stream", "application/json, text/event-stream", "Text/Event-Stream, */*"])(
    "%j is answered with events",
    async (accept) => {
      const response = await request(accept, { body: stock });
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      expect(await response.text()).toMatch(/^event: message\ndata: \{.*"structuredContent".*\}\n\n$/);
    },
  );

  it.each([...plain, "text/event-stream"])("%j is answered in JSON on 2026-07-28", async (accept) => {
    const { body, headers } = modern("tools/call", { name: "query_stock", arguments: { sku: "SKU-10001" } });
    const response = await request(accept, { body, headers });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ id: 1, result: { resultType: "complete" } });
  });

  it("of plain JSON gets a batch as a list, of one call too", async () => {
    for (const ids of [[1, 2], [1]]) {
      const response = await request("*/*", { body: ids.map((id) => ({ ...ping, id })) });
      expect(await response.json()).toEqual(ids.map((id) => ({ jsonrpc: "2.0", id, result: {} })));
    }
  });
});

describe("GET, DELETE and HEAD", () => {
  it.each(["GET", "DELETE", "HEAD"])("%s is 405, and no refusal in the log", async (method) => {
    const key = await signedInAs(["shopper"]);
    const { lines } = listen();
    for (const headers of [{}, key]) {
      const response = await send("/mcp", { method, headers: { accept: "text/event-stream", ...headers } });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("POST");
    }
    expect(lines()).toEqual([]);
  });

  it("a preflight lets a browser's client of the 2025 revisions end its session", async () => {
    const response = await send("/mcp", {
      method: "OPTIONS",
      headers: {
        origin: "http://localhost:6274",
        "access-control-request-method": "DELETE",
        "access-control-request-headers": "authorization,mcp-session-id,last-event-id,mcp-protocol-version",
      },
    });
    expect(response.status).toBe(204);
    const allowed = (name: string) =>
      (response.headers.get(`access-control-allow-${name}`) ?? "").toLowerCase().split(",");
    expect(response.headers.get("access-control-allow-origin")).toBe("http://localhost:6274");
    expect(allowed("methods")).toEqual(expect.arrayContaining(["post", "get", "delete"]));
    expect(allowed("headers")).toEqual(
      expect.arrayContaining(["authorization", "mcp-session-id", "last-event-id", "traceparent"]),
    );
  });
});

describe("a notification", () => {
  it.each([
    ["no params", {}],
    ["params that are null", { params: null }],
    ["params that are a list", { params: [1] }],
    ["params that are text", { params: "x" }],
    ["the method of a request", { method: "tools/call", params: { name: "close_ticket", arguments: {} } }],
    ["the method of the handshake", { method: "initialize", params: {} }],
    ["a method that is reserved", { method: "subscriptions/listen" }],
  ])("with %s is accepted and not answered", async (_, rest) => {
    const notification = { jsonrpc: "2.0", method: "notifications/initialized", ...rest };
    const { response, text } = await post(notification);
    expect({ status: response.status, text }).toEqual({ status: 202, text: "" });
    const { messages } = await post([notification, ping]);
    expect(messages).toEqual([{ jsonrpc: "2.0", id: 1, result: {} }]);
  });
});

describe("ids", () => {
  it.each(["9007199254740992", "9007199254740993", "-9007199254740993", "1e300", "1.5"])(
    "refuses %s with the id null",
    async (id) => {
      const { messages } = await post(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
      expect(messages).toMatchObject([{ id: null, error: { code: -32600 } }]);
    },
  );

  it.each(["9007199254740991", "-9007199254740991", "0", '"9007199254740993"'])("repeats %s", async (id) => {
    const { text } = await post(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
    expect(text).toContain(`"id":${id}`);
  });
});

describe("line separators in an answer", () => {
  const need = "a\u0085quiet\u2028key\u2029board";
  const prompt = { name: "find_product", arguments: { need } };
  it.each([
    ["2025", { jsonrpc: "2.0", id: "n\u2028", method: "prompts/get", params: prompt }, {}],
    ["2025 in JSON", { jsonrpc: "2.0", id: 1, method: "prompts/get", params: prompt }, { accept: "*/*" }],
    ["2026-07-28", modern("prompts/get", prompt).body, modern("prompts/get", prompt).headers],
  ])("are escaped on %s", async (_, body, headers) => {
    const { text, messages } = await post(body, headers);
    expect(text).not.toMatch(/[\u0085\u2028\u2029]/);
    expect(JSON.stringify(messages)).toContain(need);
  });

  it.each([
    { method: "initialize", params: {} },
    { method: "subscriptions/listen" },
    { method: "tools/call", params: { name: "list_tickets", arguments: {} } },
    { method: "zzz" },
  ])("are escaped in the refusal of %j", async (message) => {
    const id = "a\u0085b\u2028c\u2029d";
    const { text, messages } = await post({ jsonrpc: "2.0", id, ...message });
    expect(messages).toMatchObject([{ id, error: { code: expect.any(Number) } }]);
    expect(text).not.toMatch(/[\u0085\u2028\u2029]/);
  });
});
