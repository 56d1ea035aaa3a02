import { type Connections, type LoadRequest, check } from "./load.ts";

export const VARIANTS = ["hello", "route", "unguarded", "quiet", "sdk", "full", "mcpagent"] as const;
export type VariantName = (typeof VARIANTS)[number];

/** Makes the request of call number `index`. */
export type NewRequest = (nextQuery: () => string, index: number) => LoadRequest;

export interface Variant {
  /** The Worker's wrangler.toml, relative to the repository. */
  config: string;
  /** Prepares a running Worker; not timed. */
  prepare(url: string, connections: Connections, keys: readonly string[]): Promise<NewRequest>;
}

const JSON_HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const CLIENT = { name: "bench", version: "1" };

export const variants: Record<VariantName, Variant> = {
  hello: {
    config: "lab/bench/worker/bare/wrangler.toml",
    prepare: async () => () => ({ method: "GET", path: "/", headers: {} }),
  },
  route: {
    config: "lab/bench/worker/bare/wrangler.toml",
    prepare: async () => (nextQuery) => ({
      method: "GET",
      path: `/search?q=${encodeURIComponent(nextQuery())}`,
      headers: {},
    }),
  },
  unguarded: { config: "lab/bench/worker/unguarded/wrangler.toml", prepare: productCalls },
  quiet: { config: "lab/bench/worker/quiet/wrangler.toml", prepare: productCalls },
  sdk: { config: "lab/bench/worker/sdk/wrangler.toml", prepare: productCalls },
  full: { config: "wrangler.toml", prepare: productCalls },
  mcpagent: {
    config: "lab/bench/worker/mcpagent/wrangler.toml",
    async prepare(url, connections, keys) {
      const sessions: string[] = [];
      for (const _ of keys) sessions.push(await openSession(url, connections));
      return (nextQuery, index) => ({
        ...post({ jsonrpc: "2.0", id: index, method: "tools/call", params: toolCall(nextQuery()) }),
        headers: { ...JSON_HEADERS, "mcp-session-id": sessions[index % sessions.length] ?? "" },
      });
    },
  },
};

async function productCalls(
  _url: string,
  _connections: Connections,
  keys: readonly string[],
): Promise<NewRequest> {
  return (nextQuery, index) => modernCall(nextQuery(), keys[index % keys.length] ?? "");
}

const toolCall = (query: string) => ({ name: "search_products", arguments: { query } });

function post(message: object): LoadRequest {
  return { method: "POST", path: "/mcp", headers: JSON_HEADERS, body: JSON.stringify(message) };
}

/** A call of MCP 2026-07-28, which needs no session. */
function modernCall(query: string, key: string): LoadRequest {
  const version = "2026-07-28";
  const meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { ...toolCall(query), _meta: meta };
  return {
    ...post({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
    headers: {
      ...JSON_HEADERS,
      authorization: `Bearer ${key}`,
      "mcp-protocol-version": version,
      "mcp-method": "tools/call",
      "mcp-name": "search_products",
    },
  };
}

async function openSession(url: string, connections: Connections): Promise<string> {
  const opened = await connections.send(
    url,
    post({
      jsonrpc: "2.0",
      id: 0,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: CLIENT },
    }),
  );
  check(opened);
  const session = opened.headers["mcp-session-id"];
  if (typeof session !== "string") throw new Error("The McpAgent server opened no session.");
  const done = post({ jsonrpc: "2.0", method: "notifications/initialized" });
  await connections.send(url, { ...done, headers: { ...JSON_HEADERS, "mcp-session-id": session } });
  return session;
}
