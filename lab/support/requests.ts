/** An HTTP request as it is sent. */
export interface Sent {
  method: string;
  path: string;
  headers: Record<string, string>;
  /** A value to send as JSON, or a text to send as it is. */
  body?: unknown;
}

export interface Answered {
  status: number;
  headers: Headers;
  body: string;
  /** Milliseconds from the first byte sent to the last one received. */
  ms: number;
}

const JSON_TYPE = { "content-type": "application/json", accept: "application/json, text/event-stream" };
const FORM_TYPE = { "content-type": "application/x-www-form-urlencoded" };
const MODERN = "2026-07-28";

/** One JSON-RPC message. */
export const rpc = ([method, params]: [string, object], id: number) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});

/** A request of the 2025 revisions; `body` is a message or a batch. */
export const legacy = (path: string, body: unknown): Sent => ({
  method: "POST",
  path,
  headers: { ...JSON_TYPE, "mcp-protocol-version": "2025-11-25" },
  body,
});

/** A request of 2026-07-28. */
export function modern(path: string, [method, params]: [string, object]): Sent {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "lab", version: "1" },
  };
  const name = "name" in params ? params.name : "uri" in params ? params.uri : undefined;
  return {
    method: "POST",
    path,
    headers: {
      ...JSON_TYPE,
      "mcp-protocol-version": MODERN,
      "mcp-method": method,
      ...(typeof name === "string" && { "mcp-name": name }),
    },
    body: rpc([method, { ...params, _meta }], 1),
  };
}

export function form(path: string, fields: Record<string, string>): Sent {
  return { method: "POST", path, headers: FORM_TYPE, body: new URLSearchParams(fields).toString() };
}

export function json(path: string, body: unknown): Sent {
  return { method: "POST", path, headers: JSON_TYPE, body };
}

/** The bytes of a body as text; undefined if the request has none. */
export const bodyText = ({ body }: Sent): string | undefined =>
  body === undefined || typeof body === "string" ? body : JSON.stringify(body);

/** Sends a request. Undefined if the request is one that no HTTP client can send. */
export async function send(url: string, request: Sent): Promise<Answered | undefined> {
  const { method, path, headers } = request;
  const body = method === "GET" || method === "HEAD" ? undefined : bodyText(request);
  const started = performance.now();
  const init = { method, headers, redirect: "manual" as const, ...(body !== undefined && { body }) };
  let prepared: Request;
  try {
    prepared = new Request(`${url}${path}`, init);
  } catch {
    return undefined;
  }
  const response = await fetch(prepared);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text, ms: performance.now() - started };
}
