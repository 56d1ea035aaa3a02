/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { field, text } from "./read.ts";

// The client that shows this page, over JSON-RPC in messages between windows (MCP Apps 2026-01-26).

const PROTOCOL = "2026-01-26";
/** Milliseconds for an answer. A client may ask its person before it calls a tool. */
const ANSWER_MS = 120_000;

type Listener = (params: unknown) => void;

const waiting = new Map<number, (message: unknown) => void>();
const listeners = new Map<string, Listener>();
let lastId = 0;
let capabilities: unknown;

const post = (message: object): void => window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");

/** Sends a request, and returns its result. Rejects with the client's message if it refuses. */
function request(method: string, params: object): Promise<unknown> {
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.delete(id);
      reject(new Error("The client did not answer."));
    }, ANSWER_MS);
    waiting.set(id, (message) => {
      clearTimeout(timer);
      const error = field(message, "error");
      if (error === undefined) resolve(field(message, "result"));
      else reject(new Error(text(error, "message") || "The client refused."));
    });
    post({ id, method, params });
  });
}

/** Calls `listener` with the params of each notification of that name. */
export const on = (name: string, listener: Listener): unknown =>
  listeners.set(`ui/notifications/${name}`, listener);

function receive({ source, data }: MessageEvent<unknown>): void {
  if (source !== window.parent || text(data, "jsonrpc") !== "2.0") return;
  const id = field(data, "id");
  const method = text(data, "method");
  if (method === "" && typeof id === "number") {
    waiting.get(id)?.(data);
    waiting.delete(id);
  } else if (id === undefined) listeners.get(method)?.(field(data, "params"));
  else if (method === "ping" || method === "ui/resource-teardown") post({ id, result: {} });
  else post({ id, error: { code: -32601, message: "This page has no such method." } });
}

/** Connects with the client, and returns what it says about itself (`hostContext`). Register listeners first. */
export async function connect(appInfo: { name: string; version: string }): Promise<unknown> {
  window.addEventListener("message", receive);
  const appCapabilities = { availableDisplayModes: ["inline"] };
  const answer = await request("ui/initialize", { appInfo, appCapabilities, protocolVersion: PROTOCOL });
  capabilities = field(answer, "hostCapabilities");
  post({ method: "ui/notifications/initialized", params: {} });
  followSize();
  return field(answer, "hostContext");
}

/** Tells the client the page's height now and after each change. */
function followSize(): void {
  const tell = () => {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    post({ method: "ui/notifications/size-changed", params: { width: window.innerWidth, height } });
  };
  new ResizeObserver(tell).observe(document.documentElement);
}

/** Whether the client calls tools for this page. */
export const canCall = (): boolean => field(capabilities, "serverTools") !== undefined;

/** Calls a tool of this server through the client, and returns its result. */
export const callTool = (name: string, args: object): Promise<unknown> =>
  request("tools/call", { name, arguments: args });

/** Opens a page in the person's browser. */
export async function openLink(url: string): Promise<void> {
  if (field(capabilities, "openLinks") === undefined) window.open(url, "_blank", "noopener");
  else await request("ui/open-link", { url });
}

/** Tells the model what the person sees, if the client passes that on. It takes effect with the next message. */
export async function tellModel(said: string): Promise<void> {
  if (field(capabilities, "updateModelContext") === undefined) return;
  // A client that declines has lost nothing: the person can say it.
  await request("ui/update-model-context", { content: [{ type: "text", text: said }] }).catch(
    () => undefined,
  );
}
