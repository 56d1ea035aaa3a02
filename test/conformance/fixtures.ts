import {
  type JSONRPCRequest,
  ProtocolError,
  type Result,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Served } from "../../src/mcp/server.ts";
import { getPrompt, prompts } from "./prompts.ts";
import { callTool, tools } from "./tools.ts";
import { readResource, resourceTemplates, resources } from "./resources.ts";

const INVALID_PARAMS = -32602;
const CACHE = { ttlMs: 1_000, cacheScope: "private" };

/** One request of the suite. */
export interface SuiteRequest {
  params: Record<string, unknown>;
  protocol: ServerContext;
  secretKey: string;
}
type Handler = (asked: SuiteRequest) => Result | Promise<Result>;

const nameSchema = z.object({ name: z.string() });
const uriSchema = z.object({ uri: z.string() });

const handlers: Record<string, Handler> = {
  "tools/list": () => ({ tools, ...CACHE }),
  "tools/call": (asked) => callTool(nameSchema.parse(asked.params).name, asked),
  "resources/list": () => ({ resources, ...CACHE }),
  "resources/templates/list": () => ({ resourceTemplates, ...CACHE }),
  "resources/read": ({ params }) => {
    const { uri } = uriSchema.parse(params);
    const contents = readResource(uri);
    if (contents === undefined) throw new ProtocolError(INVALID_PARAMS, "Resource not found", { uri });
    return { contents: [{ uri, ...contents }], ...CACHE };
  },
  "prompts/list": () => ({ prompts, ...CACHE }),
  "prompts/get": (asked) => getPrompt(nameSchema.parse(asked.params).name, asked),
  "completion/complete": () => ({ completion: { values: ["paris", "park"], hasMore: false } }),
};

/** Handlers of methods that 2026-07-28 has removed. */
const legacyHandlers: Record<string, Handler> = {
  ...handlers,
  "logging/setLevel": () => ({}),
  "resources/subscribe": () => ({}),
  "resources/unsubscribe": () => ({}),
};

/** The server that the suite expects, on one of the two eras. */
export function fixtures({ isModern, secretKey }: { isModern: boolean; secretKey: string }): Served {
  const served = new Map(Object.entries(isModern ? handlers : legacyHandlers));
  return {
    info: { name: "conformance-fixtures", version: "1.0.0" },
    instructions: "Fixtures of the conformance suite.",
    capabilities: {
      tools: { listChanged: false },
      resources: { listChanged: false, subscribe: !isModern },
      prompts: { listChanged: false },
      completions: {},
      logging: {},
    },
    isHandled: (method) => served.has(method),
    async answer({ method, params = {} }: JSONRPCRequest, protocol) {
      const handler = served.get(method);
      if (handler === undefined) throw new ProtocolError(-32601, "Method not found");
      return handler({ params, protocol, secretKey });
    },
  };
}
