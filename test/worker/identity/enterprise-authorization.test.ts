import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { runBatch } from "../../../src/database/run-batch.ts";
import { disableUser } from "../../../src/identity/administration.ts";
import { userIdOf } from "../../../src/identity/sign-on/person.ts";
import { fill, sample } from "../support/catalog.ts";
import { recordsOf } from "../support/caller.ts";
import { Browser } from "./support/browser.ts";
import { ORIGIN, RESOURCE, type Settings, bearer, form, post, search, send } from "./support/deployed.ts";
import { type Claims, Issuer, signOn } from "./support/issuer.ts";
import { REDIRECT, errorOf } from "./support/oauth-client.ts";

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

let issuer: Issuer;
let settings: Settings;
let people = 0;

beforeAll(() => fill(sample));
beforeEach(() => {
  issuer = new Issuer();
  issuer.listen();
  settings = { ...issuer.settings, ENTERPRISE_AUTHORIZATION: "on" };
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const clientSchema = z.object({ client_id: z.string(), client_secret: z.string().default("") });
type Client = z.output<typeof clientSchema>;

async function newClient(metadata: Claims = {}): Promise<Client> {
  const response = await send(
    "/oauth/register",
    {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client_name: "Company agent",
        redirect_uris: [REDIRECT],
        grant_types: ["authorization_code", JWT_BEARER],
        token_endpoint_auth_method: "client_secret_post",
        ...metadata,
      }),
    },
    settings,
  );
  return clientSchema.parse(await response.json());
}

const newPerson = (groups: unknown = ["catalog-support"]): Claims & { sub: string } => ({
  sub: `agent-${(people += 1)}`,
  name: "Ada Lovelace",
  groups,
});

const exchange = (
  client: Client,
  assertion: string,
  changes: Record<string, string> = {},
): Promise<Response> =>
  send("/oauth/token", form({ grant_type: JWT_BEARER, ...client, assertion, ...changes }), settings);

/** Returns the answer to an assertion about a person that is right except for the test's changes. */
async function exchangeFor(person: Claims, changes: { claims?: Claims; header?: Claims } = {}) {
  const client = await newClient();
  const claims = { client_id: client.client_id, resource: RESOURCE, ...person, ...changes.claims };
  return exchange(client, await issuer.assertion(claims, changes.header));
}

const tokensSchema = z.strictObject({
  access_token: z.string(),
  token_type: z.string(),
  expires_in: z.int(),
  scope: z.string(),
  resource: z.string(),
});
const tokensOf = async (response: Response) => tokensSchema.parse(await response.json());
const statusWith = async (token: string) => (await post(search(), bearer(token), { settings })).status;
const userOf = (sub: string): string => userIdOf({ issuer: issuer.url, subject: sub });

describe("an assertion of the sign-in provider", () => {
  it("is exchanged for a token with the roles that the policy maps, without a refresh token", async () => {
    const person = newPerson();
    const tokens = await tokensOf(await exchangeFor(person));
    expect(tokens).toMatchObject({
      scope: "catalog:read support:read support:write",
      resource: RESOURCE,
      expires_in: 3600,
    });
    expect(await statusWith(tokens.access_token)).toBe(200);
    const user = userOf(person.sub);
    const records = await recordsOf(env.USER_WINDOWS.getByName(user));
    const changes = records.flatMap((record) => (record.kind === "change" ? [record] : []));
    expect(changes).toMatchObject([
      { change: "user_added", by: "sign-on", roles: ["support"] },
      { change: "client_allowed", by: "sign-on" },
    ]);
  });

  it("may leave out the resource, and may spell the request's with a slash", async () => {
    const client = await newClient();
    const assertion = await issuer.assertion({ ...newPerson(), client_id: client.client_id });
    const tokens = await tokensOf(await exchange(client, assertion, { resource: `${ORIGIN}/` }));
    expect(tokens.resource).toBe(RESOURCE);
  });

  it.each([
    { named: "by the assertion", claims: { scope: "catalog:read support:read admin" }, fields: {} },
    { named: "by the request", claims: {}, fields: { scope: "catalog:read support:read admin" } },
    {
      named: "by both",
      claims: { scope: "catalog:read support:read" },
      fields: { scope: "support:write support:read catalog:read" },
    },
  ])("gives of the scopes named $named those that the roles allow", async ({ claims, fields }) => {
    const client = await newClient();
    const assertion = await issuer.assertion({ ...newPerson(), client_id: client.client_id, ...claims });
    const tokens = await tokensOf(await exchange(client, assertion, fields));
    expect(tokens.scope).toBe("catalog:read support:read");
  });

  it.each([
    { why: "the roles allow none of the scopes", claims: { scope: "admin" }, fields: {} },
    {
      why: "the request names only scopes that the assertion lacks",
      claims: { scope: "catalog:read" },
      fields: { scope: "support:read" },
    },
  ])("is refused if $why", async ({ claims, fields }) => {
    const client = await newClient();
    const assertion = await issuer.assertion({ ...newPerson(), client_id: client.client_id, ...claims });
    const response = await exchange(client, assertion, fields);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toBe("invalid_grant");
  });

  const now = () => Math.floor(Date.now() / 1000);
  it.each<{ why: string; claims?: () => Claims; header?: Claims; error?: string }>([
    { why: "another audience", claims: () => ({ aud: "https://other.example" }) },
    { why: "the resource as audience", claims: () => ({ aud: RESOURCE }) },
    { why: "several audiences", claims: () => ({ aud: [ORIGIN, "https://other.example"] }) },
    { why: "no audience", claims: () => ({ aud: undefined }) },
    {
      why: "another resource",
      claims: () => ({ resource: "https://other.example/mcp" }),
      error: "invalid_target",
    },
    { why: "another client", claims: () => ({ client_id: "somebody-else" }) },
    { why: "no client", claims: () => ({ client_id: undefined }) },
    { why: "another issuer", claims: () => ({ iss: "https://id.evil.example" }) },
    { why: "an expiry that is past", claims: () => ({ iat: now() - 400, exp: now() - 120 }) },
    { why: "no expiry", claims: () => ({ exp: undefined }) },
    { why: "a long lifetime", claims: () => ({ exp: now() + 3_600 }) },
    { why: "a time of issue in the future", claims: () => ({ iat: now() + 200, exp: now() + 300 }) },
    { why: "no id", claims: () => ({ jti: undefined }) },
    { why: "no subject", claims: () => ({ sub: undefined }) },
    { why: "the type of an id token", header: { typ: "JWT" } },
    { why: "no signature algorithm", header: { alg: "none" } },
    { why: "a symmetric algorithm", header: { alg: "HS256" } },
    { why: "an unknown key", header: { kid: "k2" } },
    { why: "a key confirmation", claims: () => ({ cnf: { jkt: "x" } }) },
  ])("with $why is refused, and makes no user", async ({ claims = () => ({}), header = {}, error }) => {
    const person = newPerson();
    const response = await exchangeFor(person, { claims: claims(), header });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toBe(error ?? "invalid_grant");
    const known = await env.DB.prepare("SELECT 1 FROM users WHERE id = ?").bind(userOf(person.sub)).first();
    expect(known).toBeNull();
  });

  it("signed by somebody else is refused", async () => {
    issuer.behaviour = { forged: true };
    expect(await errorOf(await exchangeFor(newPerson()))).toBe("invalid_grant");
  });

  it("is good once, also for two requests at the same moment", async () => {
    const client = await newClient();
    const assertion = await issuer.assertion({ ...newPerson(), client_id: client.client_id });
    const answers = await Promise.all([1, 2, 3].map(() => exchange(client, assertion)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400, 400]);
    expect(await errorOf(await exchange(client, assertion))).toBe("invalid_grant");
  });

  it("is good once, even if the library's own marker has not arrived yet", async () => {
    const client = await newClient();
    const assertion = await issuer.assertion({ ...newPerson(), client_id: client.client_id });
    expect((await exchange(client, assertion)).status).toBe(200);
    const { keys } = await env.OAUTH_KV.list({ prefix: "enterprise-jti:" });
    for (const { name } of keys) await env.OAUTH_KV.delete(name);
    expect(await errorOf(await exchange(client, assertion))).toBe("invalid_grant");
  });

  it("is refused to another client that has it", async () => {
    const client = await newClient();
    const thief = await newClient();
    const assertion = await issuer.assertion({ ...newPerson(), client_id: client.client_id });
    expect(await errorOf(await exchange(thief, assertion))).toBe("invalid_grant");
    expect((await exchange(client, assertion)).status).toBe(200);
  });

  it("is refused to a client that does not authenticate", async () => {
    const open = await newClient({ token_endpoint_auth_method: "none" });
    const assertion = await issuer.assertion({ ...newPerson(), client_id: open.client_id });
    const fields = { grant_type: JWT_BEARER, client_id: open.client_id, assertion };
    expect(await errorOf(await send("/oauth/token", form(fields), settings))).toBe("invalid_client");
    const client = await newClient();
    expect(await errorOf(await exchange({ ...client, client_secret: "wrong" }, assertion))).toBe(
      "invalid_client",
    );
  });
});

describe("the person in an assertion", () => {
  it("without a role is refused, and loses the roles of an earlier sign-in", async () => {
    const person = newPerson();
    const tokens = await tokensOf(await exchangeFor(person));
    const response = await exchangeFor({ ...person, groups: ["another-app"] });
    expect(await errorOf(response)).toBe("invalid_grant");
    expect(await statusWith(tokens.access_token)).toBe(403);
  });

  it("has the roles of the last sign-in if the provider leaves the groups out", async () => {
    const { sub } = newPerson();
    expect(await errorOf(await exchangeFor({ sub }))).toBe("invalid_grant");
    await signOn(new Browser(ORIGIN, settings), issuer, { sub, name: "Ada", groups: ["catalog-inventory"] });
    const tokens = await tokensOf(await exchangeFor({ sub }));
    expect(tokens.scope).toBe("catalog:read inventory:write");
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 31 * 24 * 60 * 60_000);
    expect(await errorOf(await exchangeFor({ sub }))).toBe("invalid_grant");
  });

  it("keeps the name of the last sign-in if the assertion has none", async () => {
    const { sub } = newPerson();
    await signOn(new Browser(ORIGIN, settings), issuer, {
      sub,
      name: "Ada King",
      groups: ["catalog-support"],
    });
    expect((await exchangeFor({ sub, groups: ["catalog-inventory"] })).status).toBe(200);
    const named = await env.DB.prepare("SELECT name FROM users WHERE id = ?").bind(userOf(sub)).first();
    expect(named).toEqual({ name: "Ada King" });
  });

  it("who is disabled is refused", async () => {
    const person = newPerson();
    const tokens = await tokensOf(await exchangeFor(person));
    await runBatch(env.DB, disableUser(userOf(person.sub), Date.now()));
    expect(await errorOf(await exchangeFor(person))).toBe("invalid_grant");
    expect(await statusWith(tokens.access_token)).toBe(401);
  });

  it("can end the client's access at /account", async () => {
    const person = newPerson();
    const tokens = await tokensOf(await exchangeFor(person));
    const browser = new Browser(ORIGIN, settings);
    await signOn(browser, issuer, person);
    const page = await (await browser.request("/account")).text();
    expect(page).toContain("Company agent");
    const [, id = ""] = /action="\/account\/clients\/revoke"[^]*?name="id" value="([^"]*)"/.exec(page) ?? [];
    await browser.post("/account/clients/revoke", { id });
    expect(await statusWith(tokens.access_token)).toBe(401);
  });
});

describe("enterprise-managed authorization", () => {
  const metadataOf = async () =>
    z
      .object({
        grant_types_supported: z.array(z.string()),
        authorization_grant_profiles_supported: z.array(z.string()).optional(),
      })
      .parse(await (await send("/.well-known/oauth-authorization-server", {}, settings)).json());

  it("is off unless it is set", async () => {
    settings = issuer.settings;
    expect((await metadataOf()).grant_types_supported).not.toContain(JWT_BEARER);
    expect(await errorOf(await exchangeFor(newPerson()))).toBe("unsupported_grant_type");
    expect(issuer.asked).toEqual([]);
  });

  it("is advertised while it is on", async () => {
    expect(await metadataOf()).toMatchObject({
      grant_types_supported: expect.arrayContaining([JWT_BEARER]),
      authorization_grant_profiles_supported: ["urn:ietf:params:oauth:grant-profile:id-jag"],
    });
  });

  it.each([
    { why: "without sign-on", changes: { OIDC_ISSUER: "", OIDC_CLIENT_ID: "", OIDC_CLIENT_SECRET: "" } },
    { why: "with a provider over http", changes: { OIDC_ISSUER: "http://localhost:8788" } },
  ])("$why is a wrong setting, and nothing is served", async ({ changes }) => {
    settings = { ...settings, ...changes };
    expect((await send("/.well-known/oauth-authorization-server", {}, settings)).status).toBe(503);
  });

  it("says that it can't answer now if the provider does not answer", async () => {
    issuer.behaviour = { fail: () => new Response(null, { status: 502 }) };
    const response = await exchangeFor(newPerson());
    expect(response.status).toBe(503);
    expect(await errorOf(response)).toBe("temporarily_unavailable");
  });
});
