/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { randomUUID } from "node:crypto";
import { type RequestListener, createServer } from "node:http";
import {
  Client,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
import type { Page } from "playwright-core";
import { listenOn } from "./listen-on.ts";

export interface Listening {
  /** Without a trailing slash. */
  url: string;
  close(): void;
}

/** Starts an HTTP server on its own loopback port, which browsers treat as another origin. */
export async function listen(handle: RequestListener, host = "127.0.0.1"): Promise<Listening> {
  const server = createServer(handle);
  return {
    url: await listenOn(server, host),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface SignIn {
  /** The URL to which the client sends its user. */
  authorizationUrl: string;
  redirectUrl: string;
  /** The parameters that the browser brought back to the client. */
  arrival: Promise<URLSearchParams>;
  /** The `state` that the client sent and must get back. */
  state: string;
  /** Redeems the returned code, and connects with the token. */
  finish(): Promise<Client>;
  tokens(): StoredOAuthTokens | undefined;
}

export interface ClientOptions {
  name?: string;
  /** Replaces the scopes that the server's challenge names. */
  scope?: string;
  /** The host on which the client listens. */
  host?: string;
}

const opened: { close(): unknown }[] = [];

/** Closes the clients and the callback servers of the tests so far. */
export async function closeClients(): Promise<void> {
  for (const each of opened.splice(0)) await each.close();
}

/**
 * Runs the official client until it sends its user to the browser. It listens on loopback, like desktop
 * clients.
 */
export async function beginSignIn(serverUrl: string, options: ClientOptions = {}): Promise<SignIn> {
  const arrived = Promise.withResolvers<URLSearchParams>();
  const callback = await listen((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://callback");
    response.setHeader("Content-Type", "text/html").end("<title>Back</title>You can close this window.");
    if (pathname === "/callback") arrived.resolve(searchParams);
  }, options.host);
  opened.push(callback);
  const provider = new MemoryProvider(`${callback.url}/callback`, options);
  const connect = async () => {
    const transport = new StreamableHTTPClientTransport(new URL(`${serverUrl}/mcp`), {
      authProvider: provider,
    });
    const client = new Client(
      { name: "browser-test", version: "1" },
      { versionNegotiation: { mode: "auto" } },
    );
    opened.push(client);
    await client.connect(transport);
    return { client, transport };
  };
  const refusal: unknown = await connect().catch((error: unknown) => error);
  if (!(refusal instanceof UnauthorizedError)) throw new Error("The server asks for no sign-in");
  return {
    authorizationUrl: provider.authorizationUrl,
    redirectUrl: provider.redirectUrl,
    arrival: arrived.promise,
    state: provider.sentState,
    tokens: () => provider.tokens(),
    async finish() {
      const transport = new StreamableHTTPClientTransport(new URL(`${serverUrl}/mcp`), {
        authProvider: provider,
      });
      await transport.finishAuth(await arrived.promise);
      return (await connect()).client;
    },
  };
}

class MemoryProvider implements OAuthClientProvider {
  readonly redirectUrl: string;
  readonly clientMetadata: OAuthClientMetadata;
  readonly sentState = randomUUID();
  authorizationUrl = "";
  #information: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #discovery: OAuthDiscoveryState | undefined;
  #verifier = "";
  readonly #scope: string | undefined;

  constructor(redirectUrl: string, { name = "Browser test", scope }: ClientOptions) {
    this.redirectUrl = redirectUrl;
    this.#scope = scope;
    this.clientMetadata = {
      client_name: name,
      redirect_uris: [redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
  }

  state = () => this.sentState;
  clientInformation = () => this.#information;
  saveClientInformation(information: StoredOAuthClientInformation): void {
    this.#information = information;
  }
  tokens = () => this.#tokens;
  saveTokens(tokens: StoredOAuthTokens): void {
    this.#tokens = tokens;
  }
  redirectToAuthorization(url: URL): void {
    if (this.#scope !== undefined) url.searchParams.set("scope", this.#scope);
    this.authorizationUrl = url.href;
  }
  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovery = state;
  }
  discoveryState = () => this.#discovery;
  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }
  codeVerifier = () => this.#verifier;
}

/** Signs in on the page that the browser was sent to, and waits for the next page. */
export async function enterKey(page: Page, key: string): Promise<void> {
  await page.getByLabel("Access key").fill(key);
  const next = page.waitForEvent("load");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await next;
}

export interface Audit {
  /** Whether the page follows a dark colour scheme. */
  dark: boolean;
  /** Problems that keep people out: width, labels, landmarks. */
  problems: string[];
  /** The lowest contrast of a text with its background, by WCAG 2.2. */
  contrast: number;
  /** The smallest height of a button, or of a field with its label, in CSS pixels. */
  smallestTarget: number;
}

/** Collects what an accessibility checker would look at, from the page as shown. */
export function auditPage(page: Page): Promise<Audit> {
  return page.evaluate(() => {
    const problems: string[] = [];
    const expectOne = (selector: string) => {
      const { length } = document.querySelectorAll(selector);
      if (length !== 1) problems.push(`${length} of ${selector}`);
    };
    for (const selector of ["html[lang=en]", "main", "h1", "main h1", "meta[name=viewport]", "title"])
      expectOne(selector);
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth)
      problems.push(`scrolls to ${root.scrollWidth} of ${root.clientWidth}`);

    const heights: number[] = [];
    for (const control of document.querySelectorAll<HTMLInputElement | HTMLButtonElement>(
      "button, input:not([type=hidden])",
    )) {
      const name = control instanceof HTMLButtonElement ? control.innerText : control.labels?.[0]?.innerText;
      if (name === undefined || name.trim() === "") problems.push(`no name: ${control.outerHTML}`);
      for (const id of control.getAttribute("aria-describedby")?.split(" ") ?? [])
        if (document.getElementById(id) === null) problems.push(`describes nothing: ${id}`);
      const target = control.closest("label") ?? control;
      heights.push(target.getBoundingClientRect().height);
    }

    const rgb = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
    const behind = (element: Element | null): string => {
      if (element === null) return "rgb(255, 255, 255)";
      const { backgroundColor } = getComputedStyle(element);
      const [, , , alpha = 1] = rgb(backgroundColor);
      return alpha === 0 ? behind(element.parentElement) : backgroundColor;
    };
    const luminance = (color: string) => {
      const [red = 0, green = 0, blue = 0] = rgb(color).map((value) =>
        value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const contrastOf = (element: Element) => {
      const pair = [luminance(getComputedStyle(element).color), luminance(behind(element))];
      return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    };
    const texts = [...document.querySelectorAll("body *")].filter((element) =>
      [...element.childNodes].some((node) => node.nodeType === 3 && node.nodeValue?.trim() !== ""),
    );

    return {
      dark: luminance(behind(document.body)) < 0.2,
      problems,
      contrast: Math.min(...texts.map(contrastOf)),
      smallestTarget: Math.min(...heights, Infinity),
    };
  });
}
