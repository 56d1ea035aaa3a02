import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { protectedResource } from "../../../src/identity/oauth.ts";
import { type Principal, principalSchema } from "../../../src/identity/principal.ts";
import { ORIGIN, RESOURCE, bearer } from "./support/deployed.ts";
import { granted } from "./support/oauth-client.ts";
import { newKey, newUser } from "./support/people.ts";

/** The principal that a token leads to, as the rest of the code is handed it. */
async function principalOf(token: string): Promise<Principal> {
  const resource = protectedResource(ORIGIN, async (_, principal) => Response.json(principal));
  const request = new Request(RESOURCE, { method: "POST", headers: bearer(token) });
  const response = await resource.fetch(request, env, createExecutionContext());
  return principalSchema.parse(await response.json());
}

describe("a user", () => {
  it("is one principal by every key and token", async () => {
    const { user, tokens } = await granted(["support"], ["catalog:read", "support:read"]);
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
        scopes: ["catalog:read", "support:read"],
      });
    }
  });

  it("is told from another user", async () => {
    const [one, other] = [await newUser(), await newUser()];
    expect(await principalOf((await newKey(one)).secret)).toMatchObject({ id: one });
    expect(await principalOf((await newKey(other)).secret)).toMatchObject({ id: other });
  });

  it("that is a service and a customer is said to be", async () => {
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

  it("takes a principal", () => expect(principalSchema.parse(valid)).toEqual(valid));

  it.each([
    { change: { isAdmin: true }, why: "an unknown field" },
    { change: { id: "" }, why: "an empty id" },
    { change: { id: undefined }, why: "no id" },
    { change: { kind: "root" }, why: "an unknown kind" },
    { change: { via: "argument" }, why: "an unknown way" },
    { change: { roles: "admin" }, why: "roles that are no list" },
    { change: { scopes: undefined }, why: "no scopes" },
    { change: { customerId: 7 }, why: "a customer id that is no text" },
  ])("refuses $why", ({ change }) => {
    expect(principalSchema.safeParse({ ...valid, ...change }).success).toBe(false);
  });
});
