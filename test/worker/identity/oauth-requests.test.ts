import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { authorizationServer } from "../../../src/identity/oauth.ts";
import { DEPLOYED, ORIGIN, RESOURCE, form, send, settingsOf } from "./support/deployed.ts";
import {
  REDIRECT,
  authorizeUrl,
  codeFor,
  errorOf,
  exchange,
  newFlow,
  openConsent,
  ready,
  tokensOf,
} from "./support/oauth-client.ts";

// Requests of real clients that the OAuth library refuses although they are harmless. Each is served here, and each is
// also sent to the library as it is: when the library accepts it, src/http/normalise-oauth.ts need not rewrite it.

beforeAll(() => ensureMigrated(env.DB));

const SETUP = { origin: ORIGIN, settings: settingsOf(DEPLOYED) };

/** Sends a request to the OAuth library alone, without this server's rewriting. */
const library = (url: string, init?: RequestInit): Promise<Response> =>
  authorizationServer(SETUP).fetch(new Request(new URL(url, ORIGIN), init), env, createExecutionContext());

const confidentialSchema = z.object({ client_id: z.string(), client_secret: z.string() });
const listsSchema = z.object({ grant_types: z.array(z.string()), response_types: z.array(z.string()) });

const json = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const registration = (metadata: Record<string, unknown>): RequestInit =>
  json({ client_name: "Test client", redirect_uris: [REDIRECT], ...metadata });

async function confidential() {
  const registered = await send("/oauth/register", registration({}));
  return confidentialSchema.parse(await registered.json());
}

const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` });

describe("HTTP Basic credentials", () => {
  it("may come with the same client_id in the body", async () => {
    const { client_id, client_secret } = await confidential();
    const { browser } = await ready();
    const flow = await newFlow();
    const mine = { ...flow, clientId: client_id, query: { ...flow.query, client_id } };
    const code = await codeFor(browser, mine);
    const fields = {
      grant_type: "authorization_code",
      code,
      redirect_uri: REDIRECT,
      code_verifier: flow.verifier,
      client_id,
    };
    const request = form(fields, basic(client_id, client_secret));
    expect((await library("/oauth/token", request)).status).toBe(400);
    const response = await send("/oauth/token", request);
    expect(response.status).toBe(200);
    const { access_token } = await tokensOf(response);
    const revocation = form({ token: access_token, client_id }, basic(client_id, client_secret));
    expect((await send("/oauth/token", revocation)).status).toBe(200);
  });

  it.each([
    { what: "another client_id", body: (other: string) => [["client_id", other]] },
    {
      what: "the same client_id and another one",
      body: (other: string, own: string) => [
        ["client_id", own],
        ["client_id", other],
      ],
    },
    {
      what: "a secret in the body",
      body: (_: string, own: string) => [
        ["client_id", own],
        ["client_secret", "s"],
      ],
    },
  ])("with $what are refused", async ({ body }) => {
    const { client_id, client_secret } = await confidential();
    const other = await confidential();
    const fields = body(other.client_id, client_id).map(([name = "", value = ""]): [string, string] => [
      name,
      value,
    ]);
    const request = form(
      [["grant_type", "refresh_token"], ["refresh_token", "a:b:c"], ...fields],
      basic(client_id, client_secret),
    );
    const response = await send("/oauth/token", request);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toBe("invalid_request");
  });

  it("with the same client_id and a wrong secret are refused", async () => {
    const { client_id } = await confidential();
    const fields = { grant_type: "refresh_token", refresh_token: "a:b:c", client_id };
    const response = await send("/oauth/token", form(fields, basic(client_id, "wrong")));
    expect(response.status).toBe(401);
    expect(await errorOf(response)).toBe("invalid_client");
  });
});

describe("a registration", () => {
  const JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
  const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";
  const CODE = ["authorization_code", "refresh_token"];

  it.each([
    { with: "one more grant type", metadata: { grant_types: [...CODE, DEVICE] } },
    {
      with: "more response types",
      metadata: { grant_types: [...CODE, "implicit"], response_types: ["code", "token"] },
    },
    { with: "members that are null", metadata: { grant_types: CODE, client_uri: null, contacts: null } },
  ])("with $with is accepted with what is served", async ({ metadata }) => {
    const request = registration({ token_endpoint_auth_method: "none", ...metadata });
    expect((await library("/oauth/register", request)).status).toBe(400);
    const response = await send("/oauth/register", request);
    expect(response.status).toBe(201);
    expect(listsSchema.parse(await response.json())).toEqual({ grant_types: CODE, response_types: ["code"] });
  });

  it.each([
    { with: "no grant type that is served", metadata: { grant_types: ["client_credentials"] } },
    { with: "no response type that is served", metadata: { response_types: ["id_token"] } },
    { with: "grant types that are no list", metadata: { grant_types: "authorization_code" } },
    { with: "no redirect", metadata: { redirect_uris: null } },
  ])("with $with is refused", async ({ metadata }) => {
    const response = await send("/oauth/register", registration(metadata));
    expect(response.status).toBe(400);
  });

  it("for enterprise-managed authorization is accepted while that is off", async () => {
    const response = await send("/oauth/register", registration({ grant_types: [...CODE, JWT] }));
    expect(response.status).toBe(201);
    expect(listsSchema.parse(await response.json()).grant_types).toEqual(CODE);
  });
});

const SPELLINGS = [ORIGIN, `${ORIGIN}/`, `${ORIGIN}/mcp/`, RESOURCE.replace("catalog", "CATALOG")];

describe("the resource", () => {
  it.each([...SPELLINGS, ""])("may be spelled %j at every step", async (resource) => {
    const { browser, flow } = await ready();
    const spelled = { ...flow, query: { ...flow.query, resource } };
    const tokens = await tokensOf(await exchange(flow, await codeFor(browser, spelled), { resource }));
    expect(tokens.resource).toBe(RESOURCE);
    const fields = { grant_type: "refresh_token", client_id: flow.clientId, resource };
    const refreshed = await send("/oauth/token", form({ ...fields, refresh_token: tokens.refresh_token }));
    expect((await tokensOf(refreshed)).resource).toBe(RESOURCE);
  });

  it.each([ORIGIN, `${ORIGIN}/`, `${ORIGIN}/mcp/`])(
    "%j is still refused by the library",
    async (resource) => {
      const flow = await newFlow();
      const request = new Request(new URL(authorizeUrl(flow, { resource }), ORIGIN));
      await expect(authorizationServer(SETUP).getOAuthApi(env).parseAuthRequest(request)).rejects.toThrow(
        "The resource parameter",
      );
    },
  );

  it.each([
    "https://evil.example/mcp",
    "https://evil.example/",
    `${ORIGIN}/mcp/public`,
    `${ORIGIN}/admin`,
    `${ORIGIN}/mcp#part`,
    `${ORIGIN.replace("https://", "https://user@")}/mcp`,
    `${ORIGIN}.evil.example/mcp`,
    `${ORIGIN.replace("https", "http")}/mcp`,
    "mcp",
  ])("must not be %j", async (resource) => {
    const { browser, flow } = await ready();
    expect((await browser.request(authorizeUrl(flow, { resource }))).status).toBe(400);
    const code = await codeFor(browser, flow);
    expect(await errorOf(await exchange(flow, code, { resource }))).toBe("invalid_target");
  });

  it("must not be this server's and another", async () => {
    const { browser, flow } = await ready();
    const url = `${authorizeUrl(flow)}&resource=${encodeURIComponent("https://evil.example/mcp")}`;
    expect((await browser.request(url)).status).toBe(400);
  });

  it("may be named twice if both name this server's", async () => {
    const { browser, flow } = await ready();
    const url = `${authorizeUrl(flow)}&resource=${encodeURIComponent(`${ORIGIN}/`)}`;
    expect((await browser.request(url)).status).toBe(200);
  });
});

const metadataSchema = z.object({ resource: z.string().optional(), issuer: z.string().optional() });

describe("the metadata", () => {
  it.each([
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-protected-resource/mcp/",
    "/mcp/.well-known/oauth-protected-resource",
  ])("of the resource is served at %s", async (path) => {
    const response = await send(path);
    expect(response.status).toBe(200);
    expect(metadataSchema.parse(await response.json())).toEqual({ resource: RESOURCE });
  });

  const OTHER = [
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/oauth-authorization-server/mcp/",
    "/mcp/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/mcp",
    "/mcp/.well-known/openid-configuration",
  ];
  it.each(["/.well-known/oauth-authorization-server", ...OTHER])(
    "of the issuer is served at %s",
    async (path) => {
      const response = await send(path, { headers: { origin: ORIGIN } });
      expect(response.status).toBe(200);
      expect(response.headers.get("access-control-allow-origin")).toBe(ORIGIN);
      expect(metadataSchema.parse(await response.json())).toEqual({ issuer: ORIGIN });
    },
  );

  it.each(OTHER)("at %s is still missing in the library", async (path) => {
    expect((await library(path)).status).toBe(404);
  });

  it("of another resource is not served", async () => {
    expect((await send("/.well-known/oauth-protected-resource/admin")).status).toBe(404);
    expect((await send("/.well-known/oauth-authorization-server/admin")).status).toBe(404);
  });
});

describe("a consent page", () => {
  it("opens for a client that sends every parameter, some of them empty", async () => {
    const { browser, flow } = await ready();
    const spelled = { ...flow, query: { ...flow.query, state: "", scope: "" } };
    expect(await openConsent(browser, spelled)).toContain('name="handle"');
  });
});
