import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { blobs } from "../../../src/telemetry/points.ts";
import { fill, sample } from "../support/catalog.ts";
import { listen } from "../telemetry/support.ts";
import { ORIGIN, bearer, challenge, form, post, search, send } from "./support/deployed.ts";
import { granted, newFlow, token } from "./support/oauth-client.ts";
import { keyOf } from "./support/people.ts";

// Refusals of the OAuth library come from the table: named, logged and counted, in the form that OAuth
// clients read.

beforeAll(() => fill(sample));
afterEach(() => vi.restoreAllMocks());

const CODE_BLOB = blobs.findIndex(({ name }) => name === "code");
const bodySchema = z.looseObject({
  error: z.string(),
  code: z.string(),
  retryable: z.boolean(),
  correlationId: z.string(),
});

/**
 * Returns a refusal's body, whose name and code must also be in its one log line and its one Analytics point.
 */
async function refused(ask: () => Promise<Response>, code: string) {
  const { lines, points } = listen();
  const response = await ask();
  const id = response.headers.get("x-request-id");
  const text = await response.text();
  expect(text).toContain(`"correlationId":"${id}"`);
  expect(text).toContain(`"code":"${code}"`);
  const logged = lines().filter((line) => line["correlation_id"] === id && "code" in line);
  const event = response.status >= 500 ? "request_failed" : "request_refused";
  expect(logged).toMatchObject([{ event, code }]);
  expect(points().map((point) => point?.blobs?.[CODE_BLOB])).toEqual([code]);
  return { response, body: JSON.parse(text) };
}

describe("the token endpoint", () => {
  it.each([
    [
      "a client that is not there",
      "invalid_client",
      "unauthenticated",
      { grant_type: "refresh_token", client_id: "nobody", refresh_token: "a:b:c" },
    ],
    ["no client", "invalid_client", "unauthenticated", { grant_type: "refresh_token" }],
  ])("keeps OAuth's error for %s", async (_, error, code, fields: Record<string, string>) => {
    const { response, body } = await refused(() => token(fields), code);
    expect(response.status).toBe(401);
    expect(response.headers.get("cache-control")).toContain("no-store");
    expect(bodySchema.parse(body).error).toBe(error);
  });

  it("keeps OAuth's error for a grant that is over, and for an unknown grant type", async () => {
    const { clientId: client_id } = await newFlow();
    const over = { grant_type: "refresh_token", client_id, refresh_token: "a:b:c" };
    const { response, body } = await refused(() => token(over), "unauthenticated");
    expect([response.status, bodySchema.parse(body).error]).toEqual([400, "invalid_grant"]);
    vi.restoreAllMocks();
    const odd = await refused(() => token({ grant_type: "password", client_id }), "malformed_request");
    expect([odd.response.status, bodySchema.parse(odd.body).error]).toEqual([400, "unsupported_grant_type"]);
  });

  it("answers this server's own refusals in OAuth's form", async () => {
    const huge = form({ grant_type: "refresh_token", client_id: "x".repeat(20_000) });
    const { response, body } = await refused(() => send("/oauth/token", huge), "request_too_large");
    expect([response.status, bodySchema.parse(body).error]).toEqual([413, "invalid_request"]);
    vi.restoreAllMocks();
    vi.spyOn(env.OAUTH_KV, "get").mockRejectedValue(new Error("KV GET failed: 503 Service Unavailable"));
    const away = await refused(() => token({ grant_type: "refresh_token", client_id: "abc" }), "unavailable");
    expect([away.response.status, bodySchema.parse(away.body).error]).toEqual([
      503,
      "temporarily_unavailable",
    ]);
  });
});

it("keeps RFC 7591's error for an invalid registration", async () => {
  const body = JSON.stringify({ redirect_uris: [] });
  const headers = { "content-type": "application/json" };
  const ask = () => send("/oauth/register", { method: "POST", headers, body });
  const { lines } = listen();
  const response = await ask();
  const said = bodySchema.parse(await response.json());
  expect([response.status, said.code]).toEqual([400, "malformed_request"]);
  expect(said.error).toMatch(/^invalid_(?:client_metadata|redirect_uri)$/);
  const id = response.headers.get("x-request-id");
  expect(said.correlationId).toBe(id);
  const logged = lines().filter((line) => line["correlation_id"] === id && "code" in line);
  expect(logged).toMatchObject([{ event: "request_refused", code: "malformed_request" }]);
});

describe("the protected resource", () => {
  it("challenges a caller without a token, and says why in the body", async () => {
    const { response } = await refused(() => post(search()), "unauthenticated");
    expect(response.status).toBe(401);
    expect(challenge(response)).toMatchObject({
      resource_metadata: `${ORIGIN}/.well-known/oauth-protected-resource/mcp`,
      scope: "catalog:read",
    });
  });

  it("keeps RFC 6750's error for an invalid token", async () => {
    const bad = bearer(`${await keyOf(["shopper"])}x`);
    const { response, body } = await refused(() => post(search(), bad), "unauthenticated");
    expect(challenge(response)).toMatchObject({ error: "invalid_token" });
    expect(bodySchema.parse(body).error).toBe("invalid_token");
  });

  it("names the request in the challenge for more scopes", async () => {
    listen();
    const { tokens } = await granted(["support"], ["catalog:read"]);
    const more = { name: "get_customer", arguments: { customer_id: "C-10001" } };
    const ask = { jsonrpc: "2.0", id: 1, method: "tools/call", params: more };
    const response = await post(ask, bearer(tokens.access_token));
    expect(response.status).toBe(403);
    expect(challenge(response)).toMatchObject({ error: "insufficient_scope" });
    expect(bodySchema.parse(await response.json())).toMatchObject({
      error: "insufficient_scope",
      code: "permission_denied",
      correlationId: response.headers.get("x-request-id"),
    });
  });

  it.each([
    ["is temporary", "D1_ERROR: Network connection lost.", 503, "unavailable"],
    ["is unexpected", "no such column: secret", 500, "internal"],
  ])("tells a caller with a key of a database failure that %s", async (_, message, status, code) => {
    const as = bearer(await keyOf(["shopper"]));
    vi.spyOn(env.DB, "prepare").mockImplementation(() => {
      throw new Error(message);
    });
    const { response, body } = await refused(() => post(search(), as), code);
    expect(response.status).toBe(status);
    expect(JSON.stringify(body)).not.toContain(message);
  });
});
