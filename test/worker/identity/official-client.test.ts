import {
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { bundledPolicy } from "../../../src/policy/bundled.ts";
import { fill, sample } from "../support/catalog.ts";
import { type Browser, offered, signedIn } from "./support/browser.ts";
import { ORIGIN, RESOURCE, bearer, post, search, send } from "./support/deployed.ts";
import { REDIRECT, decide, target, token } from "./support/oauth-client.ts";
import { keyOf } from "./support/people.ts";

beforeAll(() => fill(sample));
afterEach(() => {
  vi.useRealTimers();
});

const HOUR = 60 * 60_000;
const ERAS = ["2026-07-28", "2025"] as const;
type Era = (typeof ERAS)[number];

/** The state that an assistant keeps about a server it signs in to. */
class Assistant implements OAuthClientProvider {
  readonly redirectUrl = REDIRECT;
  readonly clientMetadata = {
    client_name: "An assistant",
    redirect_uris: [REDIRECT],
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
  };
  registered: StoredOAuthClientInformation | undefined;
  kept: StoredOAuthTokens | undefined;
  opened: URL | undefined;
  calledBack: URL | undefined;
  /** Paths of the server that it has called. */
  readonly paths: string[] = [];
  #verifier = "";
  #discovered: OAuthDiscoveryState | undefined;

  state = () => "state of the assistant";
  clientInformation = () => this.registered;
  saveClientInformation(client: StoredOAuthClientInformation) {
    this.registered = client;
  }
  tokens = () => this.kept;
  saveTokens(tokens: StoredOAuthTokens) {
    this.kept = tokens;
  }
  redirectToAuthorization(url: URL) {
    this.opened = url;
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }
  codeVerifier = () => this.#verifier;
  /** Refused tokens are forgotten. */
  invalidateCredentials() {
    this.kept = undefined;
  }
  saveDiscoveryState(state: OAuthDiscoveryState) {
    this.#discovered = state;
  }
  discoveryState = () => this.#discovered;

  transport(): StreamableHTTPClientTransport {
    return new StreamableHTTPClientTransport(new URL(RESOURCE), {
      authProvider: this,
      fetch: (url, init) => {
        this.paths.push(new URL(url).pathname);
        return send(url, init);
      },
    });
  }

  async connect(era: Era, transport = this.transport()): Promise<Client> {
    const versionNegotiation = era === "2025" ? { mode: "legacy" as const } : { mode: { pin: era } };
    const client = new Client({ name: "assistant", version: "1" }, { versionNegotiation });
    await client.connect(transport);
    return client;
  }

  /** Signs in: the assistant opens a page, the user allows it, and the assistant gets its callback. */
  async signIn(era: Era, browser: Browser): Promise<Client> {
    const transport = this.transport();
    const refused: unknown = await this.connect(era, transport).catch((error: unknown) => error);
    if (!(refused instanceof UnauthorizedError)) throw new Error("was let in unasked", { cause: refused });
    const page = await browser.request(this.opened?.href ?? "");
    const html = await page.text();
    const callback = target(await decide(browser, html, { scopes: offered(html) }));
    this.calledBack = callback;
    await transport.finishAuth(callback.searchParams);
    return this.connect(era);
  }
}

async function searchedSkus(client: Client): Promise<unknown> {
  const { structuredContent } = await client.callTool({
    name: "search_products",
    arguments: { query: "keyboard" },
  });
  return structuredContent;
}
const KEYBOARD = { products: [{ sku: "SKU-10001" }] };

describe.each(ERAS)("the official client on %s", (era) => {
  it("registers, signs its user in, calls, refreshes, is revoked and signs in again", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const assistant = new Assistant();
    const browser = await signedIn(await keyOf(["shopper"]));

    const client = await assistant.signIn(era, browser);
    expect(await searchedSkus(client)).toMatchObject(KEYBOARD);
    expect(Object.fromEntries(assistant.opened?.searchParams ?? [])).toMatchObject({
      response_type: "code",
      code_challenge_method: "S256",
      redirect_uri: REDIRECT,
      resource: RESOURCE,
      state: "state of the assistant",
    });
    expect(assistant.opened?.searchParams.get("scope")?.split(" ")).toContain("catalog:read");
    const { calledBack } = assistant;
    expect(calledBack?.href.startsWith(`${REDIRECT}?`)).toBe(true);
    expect(Object.fromEntries(calledBack?.searchParams ?? [])).toMatchObject({
      iss: ORIGIN,
      state: "state of the assistant",
    });
    expect(assistant.paths).toContain("/.well-known/oauth-protected-resource/mcp");
    expect(assistant.paths).toContain("/oauth/register");

    // An access token lives for an hour; the client refreshes it by itself.
    const first = assistant.kept;
    assistant.opened = undefined;
    vi.setSystemTime(Date.now() + 2 * HOUR);
    expect(await searchedSkus(client)).toMatchObject(KEYBOARD);
    const second = assistant.kept;
    expect(second?.access_token).not.toBe(first?.access_token);
    expect(assistant.opened).toBeUndefined();

    const revoked = await token({
      client_id: assistant.registered?.client_id ?? "",
      token: second?.refresh_token ?? "",
      token_type_hint: "refresh_token",
    });
    expect(revoked.status).toBe(200);
    expect((await post(search(), bearer(second?.access_token ?? ""))).status).toBe(401);

    const clientId = assistant.registered?.client_id;
    const again = await assistant.signIn(era, browser);
    expect(await searchedSkus(again)).toMatchObject(KEYBOARD);
    expect(assistant.registered?.client_id).toBe(clientId);
    await client.close();
    await again.close();
  });

  it("shows a support agent every tool of the role after one sign-in", async () => {
    const { policy } = bundled();
    const assistant = new Assistant();
    const client = await assistant.signIn(era, await signedIn(await keyOf(["support"])));
    const { tools } = await client.listTools();
    const granted = policy.roles["support"]?.tools.filter((name) => !name.startsWith("ucp:"));
    expect(new Set(tools.map(({ name }) => name))).toEqual(new Set(granted));
    await client.close();
  });
});

function bundled() {
  if (!bundledPolicy.ok) throw new Error("The policy is not valid.");
  return bundledPolicy;
}
