/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import {
  AppBridge,
  type McpUiHostCapabilities,
  PostMessageTransport,
} from "@modelcontextprotocol/ext-apps/app-bridge";
import type { CallToolResult } from "@modelcontextprotocol/client";

// A client with MCP Apps, inside a browser's page: the official bridge, with the test behind it instead of a chat.

/** One answer that the client shows. */
export interface Shown {
  args: Record<string, unknown>;
  result: CallToolResult;
  theme: "light" | "dark";
  capabilities: McpUiHostCapabilities;
  /** CSS variables of the client. */
  variables: Record<string, string>;
}

declare global {
  interface Window {
    /** Shows an answer; settles when the page has initialized. */
    showAnswer(shown: Shown): Promise<void>;
    /** Given by the test: calls a tool of the server. */
    callServer(name: string, args: Record<string, unknown>): Promise<CallToolResult>;
    /** The page's requests to the client, in order. */
    asked: { method: string; value: unknown }[];
  }
}

window.asked = [];
window.showAnswer = async ({ args, result, theme, capabilities, variables }) => {
  const place = document.querySelector("#card");
  const frame = document.createElement("iframe");
  frame.title = "Product cards";
  // As clients isolate a page: scripts, but no origin of its own.
  frame.setAttribute("sandbox", "allow-scripts");
  const styles: Record<string, unknown> = { styles: { variables } };
  const bridge = new AppBridge(null, { name: "test-client", version: "1" }, capabilities, {
    hostContext: { ...styles, theme, displayMode: "inline" },
  });
  const note = (method: string, value: unknown) => void window.asked.push({ method, value });
  bridge.oncalltool = ({ name, arguments: asked = {} }) => {
    note("tools/call", { name, arguments: asked });
    return window.callServer(name, asked);
  };
  bridge.onopenlink = async ({ url }) => {
    note("ui/open-link", url);
    return {};
  };
  bridge.onupdatemodelcontext = async ({ content }) => {
    note("ui/update-model-context", content);
    return {};
  };
  bridge.addEventListener("sizechange", ({ height }) => {
    if (height !== undefined) frame.style.height = `${height}px`;
  });
  const initialized = new Promise<void>((resolve) => bridge.addEventListener("initialized", () => resolve()));
  place?.replaceChildren(frame);
  if (frame.contentWindow === null) throw new Error("The frame has no window.");
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.src = "https://cards.example/";
  await initialized;
  await bridge.sendToolInput({ arguments: args });
  await bridge.sendToolResult(result);
};
