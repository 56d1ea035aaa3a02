import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { StreamableHTTPClientTransport, Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import { type Agent, type LocalProvider, startProvider } from "../../lab/provider/openid.ts";
import { type LocalServer, startServer } from "../../cli/local/server.ts";
import { policyInForce } from "../../src/policy/bundled.ts";

// Enterprise-managed authorization from end to end: a real provider over https, the Worker in workerd, the official
// client. The provider signs the person in and issues the assertion; no page of the catalog server is opened.

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const agent: Agent = {
  clientId: "company-agent",
  secret: "a secret of the agent at the provider",
  redirectUri: "https://agent.example/callback",
  idAtServer: undefined,
};
let folder: string;
let provider: LocalProvider;
let server: LocalServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "catalog-enterprise-test-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const certificate = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  execFileSync("openssl", [...certificate, "-keyout", key, "-out", cert, "-days", "2", ...subject], {
    stdio: "ignore",
  });
  const tls = { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") };
  // For this process, and for workerd, to which Miniflare hands the file.
  setDefaultCACertificates([...getCACertificates("default"), tls.cert]);
  process.env["NODE_EXTRA_CA_CERTS"] = cert;
  provider = await startProvider(() => `${server.url}/sign-on/callback`, { tls, agent });
  provider.people.set("ada", { name: "Ada Lovelace", groups: ["catalog-support"] });
  provider.people.set("nic", { name: "Nic Nobody", groups: ["another-app"] });
  server = await startServer({
    stateDir: join(folder, "state"),
    vars: { LOCAL_ANONYMOUS: "off", ENTERPRISE_AUTHORIZATION: "on", ...provider.settings },
  });
});
afterAll(async () => {
  await server.close();
  await provider.stop();
  delete process.env["NODE_EXTRA_CA_CERTS"];
  await rm(folder, { recursive: true });
});

const form = (fields: Record<string, string>): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: new URLSearchParams(fields),
});
const registeredSchema = z.object({ client_id: z.string(), client_secret: z.string() });
const issuedSchema = z.object({ id_token: z.string() });
const tokenSchema = z.object({ access_token: z.string() });

/** Signs a person in at the provider as the agent would, by its pages. Returns the id token. */
async function signIn(name: string): Promise<string> {
  const { OIDC_ISSUER } = provider.settings;
  const cookies = new Map<string, string>();
  const visit = async (url: URL, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set("cookie", [...cookies].map(([key, value]) => `${key}=${value}`).join("; "));
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [, key = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(key, value);
    }
    return response;
  };
  const verifier = "v".repeat(43);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  let url = new URL("/auth", OIDC_ISSUER);
  url.search = new URLSearchParams({
    client_id: agent.clientId,
    response_type: "code",
    scope: "openid profile",
    redirect_uri: agent.redirectUri,
    code_challenge: Buffer.from(digest).toString("base64url"),
    code_challenge_method: "S256",
  }).toString();
  for (let step = 0; url.origin === OIDC_ISSUER; step += 1) {
    expect(step).toBeLessThan(10);
    const page = await visit(url);
    const response =
      page.status === 200 ? await visit(url, form({ prompt: "login", login: name, password: "any" })) : page;
    url = new URL(response.headers.get("location") ?? "missing:", url);
  }
  const answer = await fetch(
    `${OIDC_ISSUER}/token`,
    form({
      grant_type: "authorization_code",
      code: url.searchParams.get("code") ?? "",
      redirect_uri: agent.redirectUri,
      code_verifier: verifier,
      client_id: agent.clientId,
      client_secret: agent.secret,
    }),
  );
  return issuedSchema.parse(await answer.json()).id_token;
}

async function assertionFor(idToken: string): Promise<string> {
  const answer = await fetch(
    `${provider.settings.OIDC_ISSUER}/token`,
    form({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      requested_token_type: "urn:ietf:params:oauth:token-type:id-jag",
      subject_token: idToken,
      subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
      audience: server.url,
      resource: `${server.url}/mcp`,
      client_id: agent.clientId,
      client_secret: agent.secret,
    }),
  );
  return tokenSchema.parse(await answer.json()).access_token;
}

it("a company's client gets the tools of a person's roles without a consent page", async () => {
  const registered = await fetch(`${server.url}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Company agent",
      redirect_uris: [agent.redirectUri],
      grant_types: ["authorization_code", JWT_BEARER],
      token_endpoint_auth_method: "client_secret_post",
    }),
  });
  const client = registeredSchema.parse(await registered.json());
  agent.idAtServer = client.client_id;
  const exchange = (assertion: string) =>
    fetch(`${server.url}/oauth/token`, form({ grant_type: JWT_BEARER, ...client, assertion }));

  const assertion = await assertionFor(await signIn("ada"));
  const answer = await exchange(assertion);
  expect(answer.status).toBe(200);
  const { access_token } = tokenSchema.parse(await answer.json());
  const headers = { authorization: `Bearer ${access_token}` };
  const assistant = new Client({ name: "company-agent", version: "1" });
  await assistant.connect(
    new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit: { headers } }),
  );
  const { tools } = await assistant.listTools();
  expect(tools.map(({ name }) => name)).toEqual(
    policyInForce().roles["support"]?.tools.filter((name) => !name.startsWith("ucp:")),
  );
  await assistant.close();

  expect((await exchange(assertion)).status).toBe(400);
  expect((await exchange(await assertionFor(await signIn("nic")))).status).toBe(400);
});
