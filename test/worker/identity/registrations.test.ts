import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { ensureMigrated } from "../../../src/database/migrate.ts";
import { send } from "./support/deployed.ts";
import { codeFor, errorOf, exchange, ready } from "./support/oauth-client.ts";

beforeAll(() => ensureMigrated(env.DB));

const registerWith = (metadata: Record<string, unknown>): Promise<Response> =>
  send("/oauth/register", {
    method: "POST",
    headers: { "content-type": "application/json", "cf-connecting-ip": crypto.randomUUID() },
    body: JSON.stringify({ client_name: "Test client", token_endpoint_auth_method: "none", ...metadata }),
  });

const registeredSchema = z.object({
  client_id: z.string(),
  client_id_issued_at: z.number(),
  client_secret_expires_at: z.number().optional(),
});

/** Returns the seconds from now until a stored registration ends. */
async function secondsLeft(clientId: string): Promise<number> {
  const { keys } = await env.OAUTH_KV.list({ prefix: `client:${clientId}` });
  return (keys[0]?.expiration ?? 0) - Date.now() / 1000;
}
const DAY_S = 24 * 60 * 60;

describe("a registration's redirect URI", () => {
  it.each([
    "https://client.example/callback",
    "http://127.0.0.1:8976/callback",
    "http://localhost/callback",
    "http://[::1]:3000/callback",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "vscode://vscode.github-authentication/did-authenticate",
    "com.example.app:/oauth",
  ])("may be %s", async (uri) => {
    expect((await registerWith({ redirect_uris: [uri] })).status).toBe(201);
  });

  it.each([
    "intent://scan/#Intent;scheme=zxing;end",
    "intent://scan/",
    "about:blank",
    "view-source:https://client.example",
    "ms-msdt:/id",
    "javascript:alert(1)",
    "data:text/html,x",
    "unknown-app://callback",
    "https://*.client.example/callback",
    "http://client.example/callback",
    "http://127.0.0.1.client.example/callback",
  ])("must not be %s", async (uri) => {
    const response = await registerWith({ redirect_uris: [uri] });
    expect(response.status).toBe(400);
    expect(["invalid_redirect_uri", "invalid_client_metadata"]).toContain(await errorOf(response));
  });

  it("must not have such a form, even beside a good one", async () => {
    const uris = ["https://client.example/callback", "intent://scan/"];
    expect((await registerWith({ redirect_uris: uris })).status).toBe(400);
  });
});

describe("a registration", () => {
  it("is refused if it is large", async () => {
    const response = await registerWith({
      client_name: "x".repeat(14_000),
      redirect_uris: ["https://client.example/callback"],
    });
    expect(response.status).toBe(413);
  });

  it("is kept for a day, and for months once the client has tokens", async () => {
    const { browser, flow } = await ready();
    expect(await secondsLeft(flow.clientId)).toBeLessThanOrEqual(DAY_S);
    expect((await exchange(flow, await codeFor(browser, flow))).status).toBe(200);
    expect(await secondsLeft(flow.clientId)).toBeGreaterThan(80 * DAY_S);
  });

  it("does not tell a client to drop its secret after a day", async () => {
    const response = await registerWith({
      redirect_uris: ["https://client.example/callback"],
      token_endpoint_auth_method: "client_secret_basic",
    });
    const { client_id_issued_at: issued, client_secret_expires_at: ends = 0 } = registeredSchema.parse(
      await response.json(),
    );
    expect(ends - issued).toBe(90 * DAY_S);
  });
});
