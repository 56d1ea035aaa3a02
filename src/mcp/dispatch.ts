import { type JSONRPCRequest, ProtocolError, type Result } from "@modelcontextprotocol/server";
import { refusalError, refuse } from "../refusal.ts";
import { type Call, reportUnexpected } from "./call.ts";
import { callTool } from "./call-tool.ts";
import { complete } from "./complete.ts";
import { getPrompt } from "./get-prompt.ts";
import { answerList } from "./lists.ts";
import { readResource } from "./read-resource.ts";
import { PRODUCT, type Served } from "./server.ts";
import { type ToolTable, toolsByName } from "./targets.ts";

type Params = NonNullable<JSONRPCRequest["params"]>;
export type Handler = (params: Params, call: Call) => Promise<Result>;

/** The methods and tools of an endpoint, and how it presents itself. */
export interface Offer extends Pick<Served, "info" | "instructions" | "capabilities"> {
  tools: ToolTable;
  handlers: ReadonlyMap<string, Handler>;
}

const handlers = new Map<string, Handler>([
  ["tools/list", answerList("tools/list")],
  ["tools/call", (params, call) => callTool(params, call)],
  ["resources/list", answerList("resources/list")],
  ["resources/templates/list", answerList("resources/templates/list")],
  ["resources/read", readResource],
  ["prompts/list", answerList("prompts/list")],
  ["prompts/get", getPrompt],
  ["completion/complete", complete],
]);

/** The whole catalog and the support desk, at /mcp. */
export const OWN_OFFER: Offer = { ...PRODUCT, tools: toolsByName, handlers };

/**
 * Answers every request that is not the SDK's own (initialize, ping, server/discover), with raw params. It catches
 * every error, because the SDK would send its message to the client.
 */
export async function dispatch(
  { method, params = {} }: JSONRPCRequest,
  call: Call,
  offer: Offer = OWN_OFFER,
): Promise<Result> {
  const handler = offer.handlers.get(method);
  if (handler === undefined) throw refusalError(unknownMethod, call.correlationId);
  try {
    return await handler(params, call);
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw refusalError(reportUnexpected(error, call, method), call.correlationId);
  }
}

const unknownMethod = refuse("unknown_method", "There is no such method.").refusal;
