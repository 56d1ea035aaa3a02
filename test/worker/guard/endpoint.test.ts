import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { REFUSAL_META_KEY } from "../../../src/refusal.ts";
import { anonymous } from "../../../src/identity/principal.ts";
import { hashAddress } from "../../../src/identity/secrets.ts";
import { DEPLOYED, ORIGIN, answers, bearer, post } from "../identity/support/deployed.ts";
import { granted } from "../identity/support/oauth-client.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { SECRET_KEY, recordsOf } from "../support/caller.ts";
import { fill, sample } from "../support/catalog.ts";
import { call, newAddress } from "../support/clients.ts";
import { modern } from "../support/modern.ts";

const { calls, discovery } = policyInForce().limits;

beforeAll(() => fill(sample));

/** Creates a caller with a key, and its Durable Object. */
async function caller() {
  const user = await newUser();
  const { secret } = await newKey(user);
  return { headers: bearer(secret), object: env.USER_WINDOWS.getByName(user), user };
}
const one = call("list_categories", {});
const refused = call("drop_tables", {});
const batch = (size: number) => Array.from({ length: size }, (_, id) => call("drop_tables", {}, id));
const rpc = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });
const initialize = rpc("initialize", {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "test", version: "1" },
});

const metaSchema = z.object({ [REFUSAL_META_KEY]: z.object({ retryAfterMs: z.int() }) });

/** Returns the code of each answer, `ok` for a result. */
async function codes(response: Response): Promise<string[]> {
  const found = await answers(response);
  return found.map(({ result, error }) => error?.data.code ?? (result?.isError === true ? "error" : "ok"));
}
const count = (list: string[], code: string) => list.filter((each) => each === code).length;

describe("one key", () => {
  it("gets exactly as many of 500 parallel calls admitted as its limit allows", async () => {
    expect(calls).toEqual({ max: 100, window_s: 60 });
    const { headers, object } = await caller();
    // Twenty requests of one call and sixteen of thirty, all in flight together.
    const bodies = [
      ...Array.from({ length: 20 }, () => one),
      ...Array.from({ length: 16 }, () =>
        Array.from({ length: 30 }, (_, id) => call("list_categories", {}, id)),
      ),
    ];
    const all = (await Promise.all(bodies.map(async (body) => answers(await post(body, headers))))).flat();
    expect(all).toHaveLength(500);
    const refusals = all.flatMap(({ result }) => (result?.isError === true ? [result["_meta"]] : []));
    expect(refusals).toHaveLength(400);
    for (const refusal of refusals)
      expect(refusal).toMatchObject({
        [REFUSAL_META_KEY]: {
          code: "rate_limited",
          retryable: true,
          retryAfterMs: expect.toSatisfy((wait: number) => wait > 0 && wait <= 60_000),
        },
      });
    const attempts = (await recordsOf(object)).flatMap((record) =>
      record.kind === "attempt" ? [record.decision] : [],
    );
    expect(count(attempts, "admitted")).toBe(100);
  }, 30_000);

  it("is charged for every call of a batch", async () => {
    const { headers } = await caller();
    expect(count(await codes(await post(batch(100), headers)), "unknown_tool")).toBe(100);
    expect(await codes(await post(refused, headers))).toEqual(["rate_limited"]);
  });

  it("gets no more of a batch admitted than is left", async () => {
    const { headers } = await caller();
    await (await post(batch(60), headers)).text();
    const second = await codes(await post(batch(60), headers));
    expect([count(second, "unknown_tool"), count(second, "rate_limited")]).toEqual([40, 20]);
  });

  it("shares its limit with the user's other keys and protocol revisions", async () => {
    const { headers, user } = await caller();
    const other = bearer((await newKey(user)).secret);
    await (await post(batch(100), headers)).text();
    expect(await codes(await post(refused, other))).toEqual(["rate_limited"]);
    const { body, headers: named } = modern("tools/call", refused.params);
    expect(await codes(await post(body, { ...other, ...named }))).toEqual(["rate_limited"]);
  });
});

describe("discovery", () => {
  const lists = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];

  // One caller for both tests, because three hundred lists take seconds.
  let spent: Awaited<ReturnType<typeof caller>>;
  const answered: string[] = [];
  beforeAll(async () => {
    spent = await caller();
    for (let time = 0; time < 3; time++) {
      const listing = Array.from({ length: 99 }, (_, id) => ({ ...rpc(lists[id % 4] ?? ""), id }));
      answered.push(...(await codes(await post(listing, spent.headers))));
      answered.push(...(await codes(await post(initialize, spent.headers))));
    }
  }, 30_000);

  it("never uses up the budget of calls, nor calls that of discovery", async () => {
    const { headers } = spent;
    expect(discovery.max).toBe(300);
    expect(count(answered, "ok")).toBe(300);
    expect(await codes(await post(rpc("tools/list"), headers))).toEqual(["rate_limited"]);
    expect(count(await codes(await post(batch(100), headers)), "unknown_tool")).toBe(100);
  });

  it("over its limit is 429 with Retry-After if nothing was dispatched yet", async () => {
    const { headers, object } = spent;
    for (const { body, named } of [
      { body: initialize, named: {} },
      { body: modern("server/discover").body, named: modern("server/discover").headers },
    ]) {
      const response = await post(body, { ...headers, ...named });
      expect(response.status).toBe(429);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(Number(response.headers.get("retry-after"))).toBeLessThanOrEqual(60);
      expect(await codes(response)).toEqual(["rate_limited"]);
    }
    // A flood of them is one record.
    expect(
      (await recordsOf(object)).filter((record) => record.kind === "attempt" && record.weight === 0),
    ).toHaveLength(1);
  });
});

describe("Retry-After", () => {
  it("is on 2026-07-28 answers, in seconds, never sooner than retryAfterMs", async () => {
    const { headers } = await caller();
    await (await post(batch(100), headers)).text();
    const { body, headers: named } = modern("tools/call", one.params);
    const response = await post(body, { ...headers, ...named });
    expect(response.status).toBe(200);
    const seconds = Number(response.headers.get("retry-after"));
    const [answer] = await answers(response);
    const { [REFUSAL_META_KEY]: refusal } = metaSchema.parse(answer?.result?.["_meta"]);
    expect(seconds).toBe(Math.ceil(refusal.retryAfterMs / 1000));
    expect(seconds).toBeGreaterThan(30);
  });

  it("is absent from an answer that asks nobody to wait", async () => {
    const { headers } = await caller();
    const { body, headers: named } = modern("tools/call", one.params);
    expect((await post(body, { ...headers, ...named })).headers.has("retry-after")).toBe(false);
  });
});

describe("the counted caller", () => {
  it("without a key is the network address, a /64 as one", async () => {
    const address = newAddress();
    const settings = { ...DEPLOYED, PUBLIC_CATALOG: "on" };
    const url = `${ORIGIN}/mcp/public`;
    const from = (ip: string, body: unknown) => post(body, { "cf-connecting-ip": ip }, { url, settings });
    await (await from(address, batch(100))).text();
    expect(await codes(await from(address.replace(/::1$/, "::2"), refused))).toEqual(["rate_limited"]);
    expect(await codes(await from(newAddress(), refused))).toEqual(["unknown_tool"]);
    const { id } = anonymous(hashAddress(address, SECRET_KEY));
    expect(id).not.toContain(address);
    expect((await recordsOf(env.USER_WINDOWS.getByName(id))).length).toBeGreaterThan(0);
  });

  it("is charged for a call beyond its token's scopes, and gets that refusal whatever else is wrong", async () => {
    const { user, tokens } = await granted(["inventory"], ["inventory:write"]);
    const headers = bearer(tokens.access_token);
    const denied = await codes(await post(batch(100), headers));
    expect(count(denied, "permission_denied")).toBe(100);
    // Forbidden, over the limit and malformed.
    const response = await post(call("search_products", { query: 7 }), headers);
    expect(response.status).toBe(403);
    expect(response.headers.get("www-authenticate")).toContain("insufficient_scope");
    const key = bearer((await newKey(user)).secret);
    expect(await codes(await post(refused, key))).toEqual(["rate_limited"]);
  }, 30_000);
});
