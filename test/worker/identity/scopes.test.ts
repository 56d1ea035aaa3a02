import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { runBatch } from "../../../src/database/run-batch.ts";
import { setRoles } from "../../../src/identity/administration.ts";
import type { Role } from "../../../src/identity/scopes.ts";
import { fill, sample } from "../support/catalog.ts";
import { RESOURCE, answers, bearer, challenge, post, search } from "./support/deployed.ts";
import { granted } from "./support/oauth-client.ts";

beforeAll(() => fill(sample));

const request = (method: string, params: object, id = 1) => ({ jsonrpc: "2.0", id, method, params });

const ping = request("ping", {}, 9);
const needsCatalogRead = {
  "tools/call": search(),
  "resources/read": request("resources/read", { uri: "catalog://categories" }),
  "resources/list": request("resources/list", {}),
  "prompts/get": request("prompts/get", { name: "find_product", arguments: { need: "typing" } }),
  "completion/complete": request("completion/complete", {
    ref: { type: "ref/resource", uri: "catalog://products/{sku}" },
    argument: { name: "sku", value: "SKU-1" },
  }),
};

async function tokenWith(scopes: string[], roles: Role[] = ["inventory"]) {
  const { tokens, user } = await granted(roles, scopes);
  return { user, headers: bearer(tokens.access_token), scope: tokens.scope };
}

describe("a token without catalog:read", () => {
  it.each(Object.entries(needsCatalogRead))("is refused %s with what it needs", async (_, message) => {
    const { headers } = await tokenWith(["inventory:write"]);
    const response = await post(message, headers);
    expect(response.status).toBe(403);
    expect(challenge(response)).toMatchObject({
      error: "insufficient_scope",
      scope: "catalog:read",
      resource_metadata: RESOURCE.replace("/mcp", "/.well-known/oauth-protected-resource/mcp"),
    });
  });

  it.each(Object.entries(needsCatalogRead))(
    "is refused %s of a batch alone, in its own answer",
    async (_, message) => {
      const { headers } = await tokenWith(["inventory:write"]);
      const response = await post([message, ping], headers);
      expect(response.status).toBe(200);
      const byId = new Map((await answers(response)).map((answer) => [answer.id, answer]));
      expect(byId.size).toBe(2);
      expect(byId.get(9)).toMatchObject({ result: {} });
      const details = { code: "permission_denied", hints: { scopes: ["catalog:read"] } };
      const refused = byId.get(1);
      expect(refused?.result?.["_meta"] ?? refused?.error).toMatchObject(
        message.method === "tools/call" ? { "product-catalog-mcp/refusal": details } : { data: details },
      );
      expect(refused?.result?.["structuredContent"]).toBeUndefined();
    },
  );

  it("is refused before arguments are looked at", async () => {
    const { headers } = await tokenWith(["inventory:write"]);
    const message = request("tools/call", { name: "search_products", arguments: { nonsense: true } });
    expect((await post(message, headers)).status).toBe(403);
  });

  it("may still connect", async () => {
    const { headers } = await tokenWith(["inventory:write"]);
    expect((await post(ping, headers)).status).toBe(200);
  });
});

describe("a token with catalog:read", () => {
  it.each(Object.entries(needsCatalogRead))("is served %s", async (_, message) => {
    const { headers } = await tokenWith(["catalog:read"]);
    const response = await post(message, headers);
    expect(response.status).toBe(200);
    const [answer] = await answers(response);
    expect(answer?.error).toBeUndefined();
    expect(answer?.result?.isError ?? false).toBe(false);
  });
});

describe("roles that a user loses after the grant", () => {
  it("take their scopes out of the token at once", async () => {
    const { user, headers } = await tokenWith(["catalog:read"]);
    expect((await post(search(), headers)).status).toBe(200);
    await runBatch(env.DB, setRoles(user, []));
    const response = await post(search(), headers);
    expect(response.status).toBe(403);
    expect(challenge(response)).toMatchObject({ error: "insufficient_scope", scope: "catalog:read" });
    await runBatch(env.DB, setRoles(user, ["shopper"]));
    expect((await post(search(), headers)).status).toBe(200);
  });

  it("that a user gains do not widen it", async () => {
    const { user, headers } = await tokenWith(["inventory:write"]);
    await runBatch(env.DB, setRoles(user, ["admin"]));
    expect((await post(search(), headers)).status).toBe(403);
  });
});
