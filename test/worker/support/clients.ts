import { exports } from "cloudflare:workers";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const MCP_URL = new URL("http://127.0.0.1/mcp");

/** Returns an unused network address. */
export const newAddress = (): string =>
  `2001:db8:${crypto.randomUUID().slice(0, 4)}:${crypto.randomUUID().slice(0, 4)}::1`;

/** Sends a request to the Worker under test, as if it came over the network. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(new URL(path, MCP_URL), init);
  if (!request.headers.has("host")) request.headers.set("host", "127.0.0.1");
  // Each request gets a new address, so that the limits of addresses do not affect tests about something
  // else.
  if (!request.headers.has("cf-connecting-ip")) request.headers.set("cf-connecting-ip", newAddress());
  return exports.default.fetch(request);
}

const viaWorker = (url: string | URL, init?: RequestInit) => send(url.toString(), init);

/** Connects the official client on a protocol era; anonymous without headers. */
export async function connectClient(
  era: "2026-07-28" | "2025",
  headers: Record<string, string> = {},
  path = MCP_URL.pathname,
): Promise<Client> {
  const versionNegotiation = era === "2025" ? { mode: "legacy" as const } : { mode: { pin: era } };
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(path, MCP_URL), { fetch: viaWorker, requestInit: { headers } }),
  );
  return client;
}

/** Connects the SDK's first generation, which older hosts still use. */
export async function connectClientV1(headers: Record<string, string> = {}): Promise<ClientV1> {
  const client = new ClientV1({ name: "test-v1", version: "1" });
  await client.connect(new TransportV1(MCP_URL, { fetch: viaWorker, requestInit: { headers } }));
  return client;
}

/** Sends a raw JSON-RPC POST on the 2025 lane; returns every message of the answer. */
export async function post(body: unknown, headers: Record<string, string> = {}) {
  const response = await send("/mcp", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  const messages: unknown[] = response.headers.get("content-type")?.includes("event-stream")
    ? [...text.matchAll(/^data: (.+)$/gm)].map(([, data = "null"]) => JSON.parse(data))
    : [text === "" ? undefined : JSON.parse(text)];
  return { response, text, messages };
}

export const call = (name: string, args: unknown, id: number | string = 1) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: args },
});
