import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { runBatch } from "../../../src/database/run-batch.ts";
import { setRoles } from "../../../src/identity/administration.ts";
import { protectedResource } from "../../../src/identity/oauth.ts";
import { type Principal, principalSchema } from "../../../src/identity/principal.ts";
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
  settingsOf,
} from "./support/deployed.ts";
import { granted } from "./support/oauth-client.ts";
import { newKey, newUser } from "./support/people.ts";

beforeAll(() => fill(sample));

const rpc = (method: string, params: object, id = 1) => ({ jsonrpc: "2.0", id, method, params });

const ping = rpc("ping", {}, 9);
const needsCatalogRead = {
  "tools/call": search(),
  "resources/read": rpc("resources/read", { uri: "catalog://categories" }),
  "resources/list": rpc("resources/list", {}),
  "prompts/get": rpc("prompts/get", { name: "find_product", arguments: { need: "typing" } }),
  "completion/complete": rpc("completion/complete", {
    ref: { type: "ref/resource", uri: "catalog://products/{sku}" },
    argument: { name: "sku", value: "SKU-1" },
  }),
};

async function tokenWith(scopes: string[], roles: string[] = ["inventory"]) {
  const { tokens, user } = await granted(roles, scopes);
  return { user, headers: bearer(tokens.access_token), scope: tokens.scope };
}

describe("a token without catalog:read", () => {
  it.each(Object.entries(needsCatalogRead))(
    "is refused %s, and told the scope that it needs",
    async (_, message) => {
      const { headers } = await tokenWith(["inventory:write"]);
      const response = await post(message, headers);
      expect(response.status).toBe(403);
      expect(challenge(response)).toMatchObject({
        error: "insufficient_scope",
        // With the scope that it has, which a new sign-in would otherwise lose.
        scope: "catalog:read inventory:write",
        resource_metadata: RESOURCE.replace("/mcp", "/.well-known/oauth-protected-resource/mcp"),
      });
    },
  );

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
    const message = rpc("tools/call", { name: "search_products", arguments: { nonsense: true } });
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

describe("roles that change after the grant:", () => {
  it("a lost role takes its scopes out of the token at once", async () => {
    const { user, headers } = await tokenWith(["catalog:read"]);
    expect((await post(search(), headers)).status).toBe(200);
    await runBatch(env.DB, setRoles(user, [], { by: null, now: Date.now() }));
    const response = await post(search(), headers);
    expect(response.status).toBe(403);
    expect(challenge(response)).toMatchObject({ error: "insufficient_scope", scope: "catalog:read" });
    await runBatch(env.DB, setRoles(user, ["shopper"], { by: null, now: Date.now() }));
    expect((await post(search(), headers)).status).toBe(200);
  });

  it("a gained role does not widen the token", async () => {
    const { user, headers } = await tokenWith(["inventory:write"]);
    await runBatch(env.DB, setRoles(user, ["admin"], { by: null, now: Date.now() }));
    expect((await post(search(), headers)).status).toBe(403);
  });
});

/** Returns the principal of a token, as the rest of the code gets it. */
async function principalOf(token: string): Promise<Principal> {
  const resource = protectedResource(
    { origin: ORIGIN, settings: settingsOf(DEPLOYED) },
    {
      mayBeKept: false,
      serve: async (_, { principal }) => Response.json(principal),
      onFailure: () => {},
    },
  );
  const request = new Request(RESOURCE, { method: "POST", headers: bearer(token) });
  const response = await resource.fetch(request, env, createExecutionContext());
  return principalSchema.parse(await response.json());
}

describe("a user", () => {
  it("is one principal by every key and token", async () => {
    const { user, tokens } = await granted(["support"], ["catalog:read", "support:read", "support:write"]);
    const keys = [await newKey(user), await newKey(user)];
    const principals = await Promise.all(
      [...keys.map(({ secret }) => secret), tokens.access_token].map(principalOf),
    );
    expect(principals.map(({ id }) => id)).toEqual([user, user, user]);
    expect(principals.map(({ via }) => via)).toEqual(["key", "key", "oauth"]);
    for (const principal of principals) {
      expect(principal).toMatchObject({
        kind: "user",
        roles: ["support"],
        scopes: ["catalog:read", "support:read", "support:write"],
      });
    }
  });

  it("differs from another user", async () => {
    const [one, other] = [await newUser(), await newUser()];
    expect(await principalOf((await newKey(one)).secret)).toMatchObject({ id: one });
    expect(await principalOf((await newKey(other)).secret)).toMatchObject({ id: other });
  });

  it("that is a service and a customer is marked as both", async () => {
    const { secret } = await newKey(await newUser(["customer"], { kind: "service", customer_id: "C-7" }));
    expect(await principalOf(secret)).toMatchObject({
      kind: "service",
      customerId: "C-7",
      roles: ["customer"],
    });
  });
});

describe("a key's roles", () => {
  it.each([
    { what: "none given: all of the user's", roles: undefined, expected: ["inventory", "support"] },
    { what: "one of the user's: that one", roles: ["support" as const], expected: ["support"] },
    { what: "one the user has not: none", roles: ["admin" as const], expected: [] },
    {
      what: "one of each: the user's",
      roles: ["admin" as const, "inventory" as const],
      expected: ["inventory"],
    },
  ])("$what", async ({ roles, expected }) => {
    const user = await newUser(["support", "inventory"]);
    const { secret } = await newKey(user, roles === undefined ? {} : { roles });
    expect((await principalOf(secret)).roles).toEqual(expected);
  });

  it("narrow the scopes too", async () => {
    const { secret } = await newKey(await newUser(["admin", "shopper"]), { roles: ["shopper"] });
    expect((await principalOf(secret)).scopes).toEqual(["catalog:read"]);
  });
});

describe("principalSchema", () => {
  const valid = { id: "u", kind: "user", roles: ["shopper"], via: "key", scopes: ["catalog:read"] };

  it("accepts a principal", () => expect(principalSchema.parse(valid)).toEqual(valid));

  it.each([
    { change: { isAdmin: true }, why: "an unknown field" },
    { change: { id: "" }, why: "an empty id" },
    { change: { id: undefined }, why: "no id" },
    { change: { kind: "root" }, why: "an unknown kind" },
    { change: { via: "argument" }, why: "an unknown way to sign in" },
    { change: { roles: "admin" }, why: "roles that are not a list" },
    { change: { scopes: undefined }, why: "no scopes" },
    { change: { customerId: 7 }, why: "a customer id that is not a string" },
  ])("refuses $why", ({ change }) => {
    expect(principalSchema.safeParse({ ...valid, ...change }).success).toBe(false);
  });
});
