import type { Connections, LoadRequest } from "./load.ts";
import type { Build } from "./runtime.ts";

export const VARIANTS = ["hello", "route", "unguarded", "quiet", "sdk", "full", "mcpagent"] as const;
export type VariantName = (typeof VARIANTS)[number];

/** Makes the request of call number `index`. */
export type NewRequest = (query: string, index: number) => LoadRequest;

export interface Variant {
  build: Build;
  /** Prepares a running Worker; not timed. */
  prepare(url: string, connections: Connections, keys: readonly string[]): Promise<NewRequest>;
}

const BARE: Build = { config: "lab/bench/worker/bare/wrangler.toml" };
const CLIENT = { name: "bench", version: "1" };
const QUIET = "lab/bench/worker/quiet/sink.ts";

export const variants: Record<VariantName, Variant> = {
  hello: { build: BARE, prepare: async () => () => ({ path: "/" }) },
  route: {
    build: BARE,
    prepare: async () => (query) => ({ path: `/search?q=${encodeURIComponent(query)}` }),
  },
  unguarded: product({ "../guard/guard.ts": "lab/bench/worker/unguarded/guard.ts" }),
  quiet: product({
    "../telemetry/sink.ts": QUIET,
    "./telemetry/sink.ts": QUIET,
    "../telemetry/timed-d1.ts": QUIET,
    "../guard/recorded.ts": QUIET,
    "./recorded.ts": QUIET,
  }),
  sdk: product({ "agents/mcp/server": "lab/bench/worker/sdk/handler.ts" }),
  full: product({}),
  mcpagent: {
    build: { config: "lab/bench/worker/mcpagent/wrangler.toml" },
    async prepare(url, connections, keys) {
      const sessions: string[] = [];
      for (const _ of keys) sessions.push(await openSession(url, connections));
      return (query, id) =>
        post(request(id, "tools/call", search(query)), {
          "mcp-session-id": sessions[id % sessions.length] ?? "",
        });
    },
  },
};

/** The product, with other modules in the place of some of its own. Calls of 2026-07-28 need no session. */
function product(standIns: Record<string, string>): Variant {
  const version = "2026-07-28";
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return {
    build: { config: "wrangler.toml", standIns },
    prepare: async (_url, _connections, keys) => (query, index) =>
      post(request(1, "tools/call", { ...search(query), _meta }), {
        authorization: `Bearer ${keys[index % keys.length] ?? ""}`,
        "mcp-protocol-version": version,
        "mcp-method": "tools/call",
        "mcp-name": "search_products",
      }),
  };
}

const search = (query: string) => ({ name: "search_products", arguments: { query } });
const request = (id: number, method: string, params: object) => ({ jsonrpc: "2.0", id, method, params });

export const post = (message: unknown, headers: Record<string, string>): LoadRequest => ({
  path: "/mcp",
  headers: {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...headers,
  },
  body: JSON.stringify(message),
});

async function openSession(url: string, connections: Connections): Promise<string> {
  const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: CLIENT };
  const { headers } = await connections.call(url, post(request(0, "initialize", hello), {}));
  const session = headers["mcp-session-id"];
  if (typeof session !== "string") throw new Error("The McpAgent server opened no session.");
  const done = { jsonrpc: "2.0", method: "notifications/initialized" };
  await connections.send(url, post(done, { "mcp-session-id": session }));
  return session;
}
