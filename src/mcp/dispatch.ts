import { type JSONRPCRequest, ProtocolError, type Result } from "@modelcontextprotocol/server";
import { refusalError, refuse } from "../refusal.ts";
import { type Call, reportUnexpected } from "./call.ts";
import { callTool } from "./call-tool.ts";
import { complete } from "./complete.ts";
import { getPrompt } from "./get-prompt.ts";
import { answerList } from "./lists.ts";
import { readResource } from "./read-resource.ts";

type Params = NonNullable<JSONRPCRequest["params"]>;
type Handler = (params: Params, call: Call) => Promise<Result>;

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

export const isHandled = (method: string): boolean => handlers.has(method);

/**
 * Answers every request that is not the SDK's own (initialize, ping, server/discover), with raw params. It catches
 * every error, because the SDK would send its message to the client.
 */
export async function dispatch({ method, params = {} }: JSONRPCRequest, call: Call): Promise<Result> {
  const handler = handlers.get(method);
  if (handler === undefined) throw refusalError(unknownMethod, call.correlationId);
  try {
    return await handler(params, call);
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw refusalError(reportUnexpected(error, call, method), call.correlationId);
  }
}

const unknownMethod = refuse("unknown_method", "There is no such method.").refusal;
