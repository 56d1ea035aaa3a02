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

/** A request's messages, or the response that refuses it. The body is bounded by now. `principal` is a token. */
export async function readBody(
  request: Request,
  correlationId: string,
  principal?: string,
): Promise<Body | Response> {
  // What never becomes a call never comes before the guard, and is told of here.
  const refuseWith: typeof refusalResponse = (refusal, id, said) => {
    requestRefused(refusal.code, { correlationId, principal });
    return refusalResponse(refusal, id, said);
  };
  if (request.method !== "POST") {
    const { refusal } = refuse("malformed_request", "The MCP endpoint takes POST alone.");
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

/** Answers a body that was read, in either protocol era. The request's Host and Origin have passed src/app.ts. */
export function serveBody(
  request: Request,
  { json }: Body,
  served: Served,
  correlationId: string,
): Promise<Response> {
  // A handler per request lets its server close over the call with types; it holds no state that
  // another request would need, because there are no sessions and no subscriptions.
  const handler = createMcpHandler((mcp) => createServer(mcp, served), {
    // src/app.ts has routed the request, checked its Host and Origin by the settings, and adds the CORS headers.
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

/** The SDK's word for why; its sentence quotes what the caller sent. */
const problemIn = (message: string): string => /\(([a-z]+(?:-[a-z]+)+)\)/.exec(message)?.[1] ?? "other";
