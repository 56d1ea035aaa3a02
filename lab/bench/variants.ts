import { DEMO_CUSTOMER } from "../../cli/sample/generate-desk.ts";
import { toId } from "../../src/support/ids.ts";
import type { Connections, LoadRequest } from "./load.ts";
import { grantTokens } from "./oauth-tokens.ts";
import type { Build } from "./runtime.ts";
import type { Keys } from "./workload.ts";

/** Variants that are measured here. */
export const NEAR = ["hello", "route", "unguarded", "quiet", "sdk", "full", "mcpagent"] as const;
/** Calls to the full product that are measured far away only. */
const FAR_ONLY = ["oauth", "support", "first"] as const;
export const VARIANTS = [...NEAR, ...FAR_ONLY] as const;
export const FAR = VARIANTS.filter((name) => name !== "sdk");
export type VariantName = (typeof VARIANTS)[number];

/** Makes the request of call number `index`. */
export type NewRequest = (query: string, index: number) => LoadRequest;

export interface Variant {
  build: Build;
  /**
   * Measured at one connection only, because few callers or few calls are prepared: the number of callers who take turns; 0 if
   * each calls once.
   */
  alone?: number;
  /** Prepares a running Worker; not timed. */
  prepare(url: string, connections: Connections, keys: Keys): Promise<NewRequest>;
}

const BARE: Build = { config: "lab/bench/worker/bare/wrangler.toml" };
const FULL: Build = { config: "wrangler.toml" };
const CLIENT = { name: "bench", version: "1" };
const QUIET = "lab/bench/worker/quiet/sink.ts";
/** Callers of a variant that is measured alone. Those who sign in do so anew for every start. */
const FEW = 3;

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
    async prepare(url, connections, { callers }) {
      const sessions: string[] = [];
      for (const _ of callers) sessions.push(await openSession(url, connections));
      return (query, id) =>
        post(request(id, "tools/call", search(query)), {
          "mcp-session-id": sessions[id % sessions.length] ?? "",
        });
    },
  },
  oauth: {
    build: FULL,
    alone: FEW,
    async prepare(url, connections, { callers }) {
      const tokens = await grantTokens(url, connections, callers.slice(0, FEW));
      return (query, index) => toolCall(search(query), tokens[index % tokens.length]?.access_token);
    },
  },
  support: {
    build: FULL,
    alone: FEW,
    prepare: async (_url, _connections, { support }) => {
      const read = { name: "get_customer", arguments: { customer_id: toId("C", DEMO_CUSTOMER) } };
      return (_query, index) => toolCall(read, support[index % FEW]);
    },
  },
  first: {
    build: FULL,
    alone: 0,
    prepare: async (_url, _connections, { fresh }) => {
      let used = 0;
      return (query) => toolCall(search(query), fresh[used++]);
    },
  },
};

/** The product, with other modules in the place of some of its own. */
function product(standIns: Record<string, string>): Variant {
  return {
    build: Object.keys(standIns).length === 0 ? FULL : { ...FULL, standIns },
    prepare:
      async (_url, _connections, { callers }) =>
      (query, index) =>
        toolCall(search(query), callers[index % callers.length]),
  };
}

interface Tool {
  name: string;
  arguments: object;
}

const search = (query: string): Tool => ({ name: "search_products", arguments: { query } });
const request = (id: number, method: string, params: object) => ({ jsonrpc: "2.0", id, method, params });

const VERSION = "2026-07-28";
const META = {
  "io.modelcontextprotocol/protocolVersion": VERSION,
  "io.modelcontextprotocol/clientInfo": CLIENT,
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** Calls of 2026-07-28 need no session. */
function toolCall(tool: Tool, credential: string | undefined): LoadRequest {
  if (credential === undefined) throw new Error("The benchmark has prepared too few callers.");
  return post(request(1, "tools/call", { ...tool, _meta: META }), {
    authorization: `Bearer ${credential}`,
    "mcp-protocol-version": VERSION,
    "mcp-method": "tools/call",
    "mcp-name": tool.name,
  });
}

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
