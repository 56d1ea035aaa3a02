/// <reference lib="dom" />
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { McpUiHostCapabilities } from "@modelcontextprotocol/ext-apps/app-bridge";
import { build } from "esbuild";
import type { Browser, BrowserContextOptions, FrameLocator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import * as z from "zod";
import { demoKeys } from "../../../cli/local/demo-users.ts";
import { type LocalServer, startServer } from "../../../cli/local/server.ts";
import { CARDS_URI } from "../../../src/catalog/cards-uri.ts";
import { launchBrowser } from "../../node/support/find-browser.ts";
import type { Shown } from "./apps-host.browser.ts";

/** Everything that a client may offer to a page. */
const CAPABLE: McpUiHostCapabilities = { openLinks: {}, serverTools: {}, updateModelContext: { text: {} } };

const pageSchema = z.object({
  contents: z.tuple([
    z.object({
      mimeType: z.literal("text/html;profile=mcp-app"),
      text: z.string(),
      _meta: z.object({ ui: z.object({ csp: z.object({ resourceDomains: z.array(z.string()) }) }) }),
    }),
  ]),
});

export interface Opened {
  page: Page;
  card: FrameLocator;
  /** Returns the page's requests to the client, in order. */
  asked: () => Promise<{ method: string; value: unknown }[]>;
  /** Errors of scripts, and dialogs. */
  complaints: string[];
  /** Addresses that were requested over the network. */
  loaded: string[];
}

export interface Asking extends BrowserContextOptions {
  tool: string;
  args: Record<string, unknown>;
  /** A demo user; anonymous if it is left out. */
  user?: string;
  capabilities?: McpUiHostCapabilities;
  variables?: Record<string, string>;
  /** Hosts of pictures, as if the policy named them, with what they answer. */
  pictures?: { host: string; draw: (path: string) => string };
  /** The client's page around the card; it needs an element with the id `card`. */
  chat?: string;
  /** Replaces the server's answer. */
  result?: Shown["result"];
}

export interface AppsHost {
  server: LocalServer;
  browser: Browser;
  /** Calls a tool as a client, and shows its answer by the server's page. */
  open(asking: Asking): Promise<Opened>;
}

const CHAT = `<!doctype html><html lang="en"><title>Chat</title><style>:root{color-scheme:light dark}body{margin:0;max-width:47rem}iframe{width:100%;border:0;display:block}</style><div id="card"></div>`;

/** Starts a server with these products, and a browser that plays a client with MCP Apps. Without a browser the tests are skipped. */
export function useAppsHost(fill: (server: LocalServer) => Promise<unknown>): () => AppsHost {
  let host: AppsHost | undefined;
  let missing: string | undefined;
  let end = async () => {};
  beforeAll(async () => {
    const launched = await launchBrowser();
    if ("missing" in launched) {
      ({ missing } = launched);
      return;
    }
    const { browser } = launched;
    const folder = await mkdtemp(join(tmpdir(), "catalog-cards-"));
    const stateDir = join(folder, "state");
    const server = await startServer({ stateDir });
    await fill(server);
    const keys = await demoKeys(server, stateDir);
    const script = await bridgeScript();
    host = { server, browser, open: (asking) => openCard(server, browser, script, keys, asking) };
    end = async () => {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    };
  }, 120_000);
  beforeEach(({ skip }) => {
    if (missing !== undefined) skip(missing);
  });
  afterEach(async () => void (await Promise.all(host?.browser.contexts().map((each) => each.close()) ?? [])));
  afterAll(() => end());
  return () => {
    if (host === undefined) throw new Error("The client has not started.");
    return host;
  };
}

async function bridgeScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: ["test/slow/support/apps-host.browser.ts"],
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
  });
  return outputFiles[0]?.text ?? "";
}

async function openCard(
  server: LocalServer,
  browser: Browser,
  script: string,
  keys: Record<string, string>,
  {
    tool,
    args,
    user,
    capabilities = CAPABLE,
    variables = {},
    pictures,
    chat = CHAT,
    result,
    ...options
  }: Asking,
): Promise<Opened> {
  const client = new Client({ name: "cards-test", version: "1" }, { versionNegotiation: { mode: "auto" } });
  const headers: Record<string, string> =
    user === undefined ? {} : { authorization: `Bearer ${keys[user] ?? ""}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit: { headers } }),
  );
  const { tools } = await client.listTools();
  const declared = z
    .object({ ui: z.object({ resourceUri: z.literal(CARDS_URI) }) })
    .parse(tools.find(({ name }) => name === tool)?._meta);
  const [{ text, _meta }] = pageSchema.parse(
    await client.readResource({ uri: declared.ui.resourceUri }),
  ).contents;

  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  const loaded: string[] = [];
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  // The Content-Security-Policy that a client must make of what the server declares (MCP Apps, Host Behavior).
  const hosts = [
    ..._meta.ui.csp.resourceDomains,
    ...(pictures === undefined ? [] : [`https://${pictures.host}`]),
  ];
  const sources = ["'self'", ...hosts].join(" ");
  const csp = `default-src 'none'; script-src ${sources} 'unsafe-inline'; style-src ${sources} 'unsafe-inline'; img-src ${sources} data:; font-src ${sources}; connect-src 'none'; frame-src 'none'; object-src 'none'; base-uri 'self'`;
  await page.route("**/*", async (route) => {
    // A request that the policy forbids does not get here.
    loaded.push(route.request().url());
    const { hostname, pathname } = new URL(route.request().url());
    if (hostname === "client.example") await route.fulfill({ contentType: "text/html", body: chat });
    else if (hostname === "cards.example")
      await route.fulfill({
        contentType: "text/html",
        body: text,
        headers: { "content-security-policy": csp },
      });
    else if (hostname === pictures?.host)
      await route.fulfill({ contentType: "image/svg+xml", body: pictures.draw(pathname) });
    else await route.abort();
  });
  await page.exposeFunction("callServer", (name: string, asked: Record<string, unknown>) =>
    client.callTool({ name, arguments: asked }),
  );
  await page.goto("https://client.example/");
  await page.addScriptTag({ content: script });
  const shown: Shown = {
    args,
    result: result ?? (await client.callTool({ name: tool, arguments: args })),
    theme: options.colorScheme === "dark" ? "dark" : "light",
    capabilities,
    variables,
  };
  await page.evaluate((each) => window.showAnswer(each), shown);
  const card = page.frameLocator("iframe");
  await card.locator("h1").waitFor();
  return { page, card, complaints, loaded, asked: () => page.evaluate(() => window.asked) };
}
