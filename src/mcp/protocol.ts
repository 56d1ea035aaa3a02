import { createMcpHandler } from "agents/mcp/server";
import { refusalResponse, refuse } from "../refusal.ts";
import { logEvent } from "../telemetry/log.ts";
import { requestRefused } from "../telemetry/sink.ts";
import { type Message, checkMethod, parseJson, readMessages, withoutCancellations } from "./messages.ts";
import { type Served, createServer } from "./server.ts";

/** JSON-RPC 2.0, section 5.1. */
const PARSE_ERROR = -32700;

export interface Body {
  json: unknown;
  messages: Message[];
}

/**
 * Returns a request's messages, or the response that refuses it. The body's size was limited before. `principal` is a
 * token.
 */
export async function readBody(
  request: Request,
  correlationId: string,
  principal?: string,
): Promise<Body | Response> {
  // A request that never becomes a call does not reach the guard, so it is counted and logged here.
  const refuseWith: typeof refusalResponse = (refusal, id, said) => {
    requestRefused(refusal.code, { correlationId, principal });
    return refusalResponse(refusal, id, said);
  };
  if (request.method !== "POST") {
    const { refusal } = refuse("malformed_request", "The MCP endpoint accepts only POST.");
    const { body, headers } = refuseWith(refusal, correlationId);
    return new Response(body, { status: 405, headers: { ...Object.fromEntries(headers), Allow: "POST" } });
  }
  const json = parseJson(await request.clone().text());
  if (!json.ok) return refuseWith(json.refusal, correlationId, { jsonRpc: PARSE_ERROR });
  const messages = readMessages(json.value);
  if (!messages.ok) return refuseWith(messages.refusal, correlationId);
  for (const message of messages.value) {
    const refused = checkMethod(message);
    if (refused !== undefined) return refuseWith(refused, correlationId, { id: message.id });
  }
  return { json: json.value, messages: messages.value };
}

/** Answers a parsed body, in either protocol era. src/app.ts has checked the request's Host and Origin. */
export function serveBody(
  request: Request,
  { json }: Body,
  served: Served,
  correlationId: string,
): Promise<Response> {
  // One handler per request, so that its server can close over the call with types. It needs no state of other
  // requests, because there are no sessions and no subscriptions.
  const handler = createMcpHandler((mcp) => createServer(mcp, served), {
    // src/app.ts has routed the request, checked its Host and Origin, and adds the CORS headers.
    route: new URL(request.url).pathname,
    allowedHostnames: [new URL(`http://${request.headers.get("host")}`).hostname],
    allowedOriginHostnames: "*",
    corsOptions: false,
    maxSubscriptions: 0,
    onerror: ({ message }) =>
      logEvent("protocol_error", { correlation_id: correlationId, problem: problemIn(message) }),
  });
  return handler.fetch(request, { parsedBody: withoutCancellations(json) });
}

/** Extracts the SDK's code for the problem, because its sentence quotes the caller's text. */
const problemIn = (message: string): string => /\(([a-z]+(?:-[a-z]+)+)\)/.exec(message)?.[1] ?? "other";
