import { createMcpHandler } from "agents/mcp/server";
import { refusalResponse, refuse } from "../refusal.ts";
import { logEvent } from "../telemetry/log.ts";
import { requestRefused } from "../telemetry/sink.ts";
import { eventData, oneLine } from "../text/json-line.ts";
import { acceptsEvents, forgiveBody } from "./leniency.ts";
import {
  type Message,
  checkMethod,
  emptyNotifications,
  parseJson,
  readMessages,
  withoutNotifications,
} from "./messages.ts";
import { type Served, createServer } from "./server.ts";

/** JSON-RPC 2.0, section 5.1. */
const PARSE_ERROR = -32700;

export interface Body {
  /** The messages for the SDK, without notifications. */
  json: unknown;
  /** All messages, so that each has its place. */
  messages: Message[];
}

/**
 * Returns the response to any method but POST; undefined for a POST. Clients of the 2025 revisions try GET for a stream
 * and DELETE for a session's end, so it is no refusal that anybody should look at, and neither counted nor logged.
 */
export function answerOtherMethod({ method }: Request, correlationId: string): Response | undefined {
  if (method === "POST") return undefined;
  const { refusal } = refuse("malformed_request", "The MCP endpoint accepts only POST.");
  const { body, headers } = refusalResponse(refusal, correlationId);
  return new Response(body, { status: 405, headers: { ...Object.fromEntries(headers), Allow: "POST" } });
}

/**
 * Returns the messages of a POST that this server answers, or the response if there are none or they are refused. The
 * body's size was limited before. `principal` is a token.
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
  const otherMethod = answerOtherMethod(request, correlationId);
  if (otherMethod !== undefined) return otherMethod;
  const json = parseJson(await request.clone().text());
  if (!json.ok) return refuseWith(json.refusal, correlationId, { jsonRpc: PARSE_ERROR });
  const body = forgiveBody(emptyNotifications(json.value));
  const messages = readMessages(body);
  if (!messages.ok) return refuseWith(messages.refusal, correlationId);
  for (const message of messages.value) {
    const refused = checkMethod(message);
    if (refused !== undefined) return refuseWith(refused, correlationId, { id: message.id });
  }
  const asked = withoutNotifications(body);
  if (asked === undefined) return new Response(null, { status: 202 });
  return { json: asked, messages: messages.value };
}

/** Answers a parsed body, in either protocol era. src/app.ts has checked the request's Host and Origin. */
export async function serveBody(
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
  const headers = new Headers(request.headers);
  headers.set("Accept", "application/json, text/event-stream");
  const response = await handler.fetch(new Request(request, { headers }), { parsedBody: json });
  const isStream = response.headers.get("content-type")?.includes("text/event-stream") === true;
  return isStream && !acceptsEvents(request.headers.get("accept"))
    ? jsonInstead(response, Array.isArray(json))
    : withOneLineEach(response);
}

/** Collects the answers of a stream of events into one JSON body, for clients that read no events. */
async function jsonInstead(response: Response, isBatch: boolean): Promise<Response> {
  const answers = eventData(await response.text());
  return new Response(oneLine(isBatch ? `[${answers.join(",")}]` : (answers[0] ?? "")), {
    headers: { "Content-Type": "application/json" },
  });
}

/** Escapes the line separators in a response that arrives piece by piece. */
function withOneLineEach(response: Response): Response {
  if (response.body === null) return response;
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const escape = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      controller.enqueue(encoder.encode(oneLine(decoder.decode(bytes, { stream: true }))));
    },
  });
  return new Response(response.body.pipeThrough(escape), response);
}

/** Extracts the SDK's code for the problem, because its sentence quotes the caller's text. */
const problemIn = (message: string): string => /\(([a-z]+(?:-[a-z]+)+)\)/.exec(message)?.[1] ?? "other";
