import { createMcpHandler } from "@modelcontextprotocol/server";
import { refusalResponse, refuse } from "../refusal.ts";
import { logEvent } from "../telemetry/log.ts";
import { type Message, checkMethod, parseJson, readMessages, withoutCancellations } from "./messages.ts";
import { type Served, createServer } from "./server.ts";

/** JSON-RPC 2.0, section 5.1. */
const PARSE_ERROR = -32700;

export interface Body {
  json: unknown;
  messages: Message[];
}

/** A request's messages, or the response that refuses it. The body is bounded by now. */
export async function readBody(request: Request, correlationId: string): Promise<Body | Response> {
  if (request.method !== "POST") {
    const { refusal } = refuse("malformed_request", "The MCP endpoint takes POST alone.");
    const { body, headers } = refusalResponse(refusal, correlationId);
    return new Response(body, { status: 405, headers: { ...Object.fromEntries(headers), Allow: "POST" } });
  }
  const json = parseJson(await request.clone().text());
  if (!json.ok) return refusalResponse(json.refusal, correlationId, { jsonRpc: PARSE_ERROR });
  const messages = readMessages(json.value);
  if (!messages.ok) return refusalResponse(messages.refusal, correlationId);
  for (const message of messages.value) {
    const refused = checkMethod(message);
    if (refused !== undefined) return refusalResponse(refused, correlationId, { id: message.id });
  }
  return { json: json.value, messages: messages.value };
}

/** Has the SDK answer a body that was read, of either protocol era, with what is served. */
export function serveBody(
  request: Request,
  { json }: Body,
  served: Served,
  correlationId: string,
): Promise<Response> {
  // A handler per request lets its server close over the call with types; it holds no state that
  // another request would need, as there are no sessions and no subscriptions.
  const handler = createMcpHandler((mcp) => createServer(mcp, served), {
    maxSubscriptions: 0,
    onerror: ({ message }) =>
      logEvent("info", "protocol_error", { correlation_id: correlationId, message: message.slice(0, 200) }),
  });
  return handler.fetch(request, { parsedBody: withoutCancellations(json) });
}
