import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { anonymous, principalSchema } from "../../../src/identity/principal.ts";
import { SCOPES } from "../../../src/identity/scopes.ts";
import { hashAddress } from "../../../src/identity/secrets.ts";
import { fill, sample } from "../support/catalog.ts";
import {
  DEPLOYED,
  ORIGIN,
  RESOURCE,
  answers,
  bearer,
  challenge,
  post,
  search,
  send,
} from "./support/deployed.ts";
import { keyOf } from "./support/people.ts";

beforeAll(() => fill(sample));

const METADATA = `${ORIGIN}/.well-known/oauth-protected-resource/mcp`;
const PUBLIC = `${ORIGIN}/mcp/public`;
const OPEN = { ...DEPLOYED, PUBLIC_CATALOG: "on" };
const LOCAL = "http://127.0.0.1:8787/mcp";

describe("deployed, without a token", () => {
  it.each([
    { what: "a call", init: { method: "POST", body: JSON.stringify(search()) } },
    { what: "a body that is not JSON", init: { method: "POST", body: "{" } },
    { what: "a GET", init: {} },
    { what: "another authorization scheme", init: { headers: { authorization: "Basic dTpw" } } },
    { what: "an empty bearer token", init: { headers: { authorization: "Bearer " } } },
  ])("$what gets 401 with the way to sign in", async ({ init }) => {
    const response = await send(RESOURCE, init);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer /);
    expect(challenge(response)).toEqual({
      realm: "OAuth",
      resource_metadata: METADATA,
      scope: "catalog:read",
    });
    expect(await response.json()).toMatchObject({ id: null, error: { data: { code: "unauthenticated" } } });
  });

  it("the challenge leads to the resource's metadata and the authorization server's", async () => {
    const resource = await send(METADATA);
    expect(resource.status).toBe(200);
    expect(await resource.json()).toMatchObject({
      resource: RESOURCE,
      authorization_servers: [ORIGIN],
      scopes_supported: ["catalog:read"],
      bearer_methods_supported: ["header"],
    });

    const server = await send("/.well-known/oauth-authorization-server");
    expect(server.status).toBe(200);
    expect(await server.json()).toMatchObject({
      issuer: ORIGIN,
      authorization_endpoint: `${ORIGIN}/authorize`,
      token_endpoint: `${ORIGIN}/oauth/token`,
      registration_endpoint: `${ORIGIN}/oauth/register`,
      revocation_endpoint: `${ORIGIN}/oauth/token`,
      code_challenge_methods_supported: ["S256"],
      response_types_supported: ["code"],
      grant_types_supported: ["authorization_code", "refresh_token"],
      scopes_supported: [...Object.keys(SCOPES), "offline_access"],
      client_id_metadata_document_supported: true,
      authorization_response_iss_parameter_supported: true,
    });
  });

  it("both use PUBLIC_URL if it is set", async () => {
    const settings = { ...DEPLOYED, PUBLIC_URL: "https://catalog.example.com/" };
    const url = "https://catalog.example.com/mcp";
    const response = await post(search(), {}, { url, settings });
    expect(response.status).toBe(401);
    const metadata = "https://catalog.example.com/.well-known/oauth-protected-resource/mcp";
    expect(challenge(response)["resource_metadata"]).toBe(metadata);
    expect(await (await send(metadata, {}, settings)).json()).toMatchObject({
      resource: url,
      authorization_servers: ["https://catalog.example.com"],
    });
    const server = "https://catalog.example.com/.well-known/oauth-authorization-server";
    expect(await (await send(server, {}, settings)).json()).toMatchObject({
      issuer: "https://catalog.example.com",
    });
  });
});

describe("/mcp/public", () => {
  it.each([
    { PUBLIC_CATALOG: undefined, host: ORIGIN },
    { PUBLIC_CATALOG: "off", host: ORIGIN },
    { PUBLIC_CATALOG: undefined, host: "http://127.0.0.1:8787" },
  ])("is missing with PUBLIC_CATALOG=$PUBLIC_CATALOG on $host", async ({ PUBLIC_CATALOG, host }) => {
    const response = await post(
      search(),
      {},
      {
        url: `${host}/mcp/public`,
        settings: { ...DEPLOYED, PUBLIC_CATALOG },
      },
    );
    expect(response.status).toBe(404);
  });

  it("serves catalog reads once it is on", async () => {
    const response = await post(search(), {}, { url: PUBLIC, settings: OPEN });
    expect(response.status).toBe(200);
    expect(await answers(response)).toMatchObject([
      { result: { structuredContent: { products: [{ sku: "SKU-10001" }] } } },
    ]);
  });

  it("answers a call that needs more scopes, by its id", async () => {
    const params = { name: "search_customers", arguments: { email: "ada@example.com" } };
    const call = { jsonrpc: "2.0", id: 7, method: "tools/call", params };
    const response = await post(call, {}, { url: PUBLIC, settings: OPEN });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ id: 7, error: { data: { code: "permission_denied" } } });
  });

  it("leaves /mcp closed", async () => {
    expect((await post(search(), {}, { settings: OPEN })).status).toBe(401);
  });
});

describe("on this machine", () => {
  it.each([
    { LOCAL_ANONYMOUS: undefined, status: 200 },
    { LOCAL_ANONYMOUS: "on", status: 200 },
    { LOCAL_ANONYMOUS: "off", status: 401 },
  ])("LOCAL_ANONYMOUS=$LOCAL_ANONYMOUS answers $status", async ({ LOCAL_ANONYMOUS, status }) => {
    for (const url of [LOCAL, "http://localhost:8787/mcp", "http://[::1]:8787/mcp"]) {
      const response = await post(search(), {}, { url, settings: { LOCAL_ANONYMOUS } });
      expect(response.status).toBe(status);
    }
  });

  it("a bad token is still refused, and a good key is accepted", async () => {
    const settings = { LOCAL_ANONYMOUS: "on" };
    expect((await post(search(), bearer("pcm_x"), { url: LOCAL, settings })).status).toBe(401);
    const key = await keyOf(["shopper"]);
    expect((await post(search(), bearer(key), { url: LOCAL, settings })).status).toBe(200);
  });

  it.each([
    { why: "a deployed host", url: RESOURCE, settings: {}, status: 401 },
    {
      why: "a loopback name in front of a PUBLIC_URL elsewhere",
      url: LOCAL,
      settings: { PUBLIC_URL: "https://catalog.example.com" },
      status: 404,
    },
    {
      why: "a deployed host with a PUBLIC_URL that is local",
      url: RESOURCE,
      settings: { PUBLIC_URL: "http://127.0.0.1:8787" },
      status: 404,
    },
    {
      why: "a host with a loopback prefix",
      url: "https://localhost.someone.workers.dev/mcp",
      settings: {},
      status: 401,
    },
  ])("LOCAL_ANONYMOUS=on does not open $why", async ({ url, settings, status }) => {
    const response = await post(
      search(),
      {},
      {
        url,
        settings: { ...DEPLOYED, LOCAL_ANONYMOUS: "on", ...settings },
      },
    );
    expect(response.status).toBe(status);
  });
});

describe("an anonymous caller's id", () => {
  const KEY = "one secret of thirty-two bytes or more";
  const OTHER_KEY = "two secret of thirty-two bytes or more";
  const idOf = (address: string, key = KEY) => anonymous(hashAddress(address, key)).id;

  it.each([
    { a: "203.0.113.7", b: "203.0.113.7", same: true, why: "IPv4, itself" },
    { a: "203.0.113.7", b: "203.0.113.8", same: false, why: "IPv4, its neighbour" },
    { a: "2001:db8:1:2::1", b: "2001:db8:1:2:ffff:ffff:ffff:ffff", same: true, why: "IPv6, one /64" },
    { a: "2001:db8:1:2::1", b: "2001:db8:1:3::1", same: false, why: "IPv6, the next /64" },
    { a: "2001:db8:1:2::1", b: "2001:DB8:0001:0002:0::1", same: true, why: "IPv6, spelled differently" },
    { a: "2001:db8::1", b: "2001:db8:0:0:5::", same: true, why: "IPv6, zeros left out at different places" },
    { a: "::1", b: "::2", same: true, why: "IPv6, the zero network" },
    { a: "2001:db8::", b: "2001:db8:0:1::", same: false, why: "IPv6, the last group of the /64" },
    { a: "::ffff:203.0.113.7", b: "203.0.113.7", same: true, why: "IPv4 mapped into IPv6" },
    { a: "::ffff:203.0.113.7", b: "::ffff:203.0.113.8", same: false, why: "two mapped addresses" },
    { a: "::ffff:cb00:7107", b: "203.0.113.7", same: true, why: "a mapped address in hexadecimal" },
  ])("$why: the same is $same", ({ a, b, same }) => {
    expect(idOf(a) === idOf(b)).toBe(same);
  });

  it("differs under another SECRET_KEY", () => {
    expect(idOf("203.0.113.7", OTHER_KEY)).not.toBe(idOf("203.0.113.7"));
  });

  it.each(["203.0.113.7", "2001:db8:1:2::1"])("does not reveal %s", (address) => {
    const id = idOf(address);
    expect(id).toMatch(/^anon-[\w-]{22}$/);
    const bytes = atob(id.slice(5).replaceAll("-", "+").replaceAll("_", "/"));
    for (const text of [id, bytes]) expect(text).not.toContain(address.slice(0, 8));
  });

  it("belongs to a principal that may read the catalog and no more", () => {
    expect(principalSchema.parse(anonymous(hashAddress("203.0.113.7", KEY)))).toMatchObject({
      kind: "anonymous",
      roles: ["anonymous"],
      via: "none",
      scopes: ["catalog:read"],
    });
  });
});

const paths = [
  "/",
  "/mcp",
  "/mcp/public",
  "/.well-known/oauth-protected-resource/mcp",
  "/.well-known/oauth-authorization-server",
  "/oauth/register",
  "/oauth/token",
  "/authorize",
  "/sign-in",
  "/assets/sign-in.css",
  "/admin/api/users",
  "/nowhere",
];

describe("a deployed host whose SECRET_KEY is too short", () => {
  const settings = {
    ...DEPLOYED,
    SECRET_KEY: "x".repeat(31),
    PUBLIC_CATALOG: "on",
    LOCAL_ANONYMOUS: "on",
  };
  beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => {}));
  afterEach(() => void vi.restoreAllMocks());

  it.each(paths)("answers %s with 503, and uses no other key", async (path) => {
    expect((await send(path, {}, settings)).status).toBe(503);
  });

  it("accepts no good key, and names the setting in its log", async () => {
    const logged = vi.spyOn(console, "error");
    const response = await post(search(), bearer(await keyOf(["shopper"])), { settings });
    expect(response.status).toBe(503);
    expect(logged.mock.calls.flat().join()).toContain('"setting":"SECRET_KEY"');
  });
});

it("SECRET_KEY of 32 bytes is long enough", async () => {
  const settings = { ...DEPLOYED, SECRET_KEY: "x".repeat(32) };
  expect((await send("/.well-known/oauth-protected-resource/mcp", {}, settings)).status).toBe(200);
});
