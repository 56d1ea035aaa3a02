import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { createCatalog } from "../../src/catalog/repository.ts";
import { Deadline } from "../../src/deadlines.ts";
import { catalogSize } from "../../src/guard/catalog-size.ts";
import { createGuard } from "../../src/guard/guard.ts";
import { createInventory } from "../../src/inventory/repository.ts";
import type { Call } from "../../src/mcp/call.ts";
import { callTool } from "../../src/mcp/call-tool.ts";
import { toolTable } from "../../src/mcp/targets.ts";
import { policyInForce } from "../../src/policy/bundled.ts";
import { REFUSAL_META_KEY } from "../../src/refusal.ts";
import { createAgents } from "../../src/ucp/agents.ts";
import { createSupport } from "../../src/support/repository.ts";
import { lists } from "../../src/mcp/shown.ts";
import { withEarlier } from "../../src/tools/version-argument.ts";
import { tools } from "../../src/tools/registry.ts";
import { attemptSchema, outcomeSchema } from "../../src/caller/audit/records.ts";
import { exported } from "./support/audit.ts";
import { fill, sample } from "./support/catalog.ts";
import { unitsOf } from "./support/two-versions.ts";

// A tool with two versions that no client sees, on the path of every call: the guard, the caller's real
// object, the database.

const SECRET = "a secret of thirty-two bytes or more, for tests";
const V1 = ["units_of", { sku: "SKU-10001", version: "v1" }] as const;
const V2 = ["units_of", { item: { sku: "SKU-10001" } }] as const;

beforeAll(() => fill(sample));

/** A caller of a role that may use the tool, or of one that may not. */
function newCaller({ calls = 100, allowed = true } = {}) {
  const { roles, ...policy } = policyInForce();
  const limit = { max: calls, window_s: 60 };
  const role = { scopes: [], tools: allowed ? ["units_of"] : [], resources: [], prompts: [] };
  const own = {
    ...policy,
    limits: { calls: limit, discovery: limit },
    roles: { ...roles, tester: { ...role } },
  };
  const principal = {
    id: `tester-${crypto.randomUUID()}`,
    kind: "user" as const,
    roles: ["tester"],
    via: "key" as const,
    scopes: ["catalog:read"],
  };
  const call = async (): Promise<Call> => ({
    correlationId: crypto.randomUUID(),
    principal,
    policy: own,
    assets: env.ASSETS,
    origin: "https://catalog.example",
    guard: createGuard({
      policy: own,
      principal,
      callers: env.USER_WINDOWS,
      catalogSize: await catalogSize(env.DB, Date.now()),
      db: env.DB,
      secretKey: SECRET,
      origin: "http://127.0.0.1",
      protocol: "2026-07-28",
      client: "test/1",
    }),
    context: {
      catalog: createCatalog(env.DB),
      inventory: createInventory(env.DB, "tester"),
      support: createSupport(env.DB, { sees: "all" }),
      agents: createAgents({ origin: "http://127.0.0.1", policy: policyInForce(), caller: "test" }),
      now: Date.now(),
    },
    deadline: new Deadline(5_000),
    secretKey: SECRET,
    noteAdmitted() {},
    retry: { envelope: undefined, inputResponses: undefined, openState: async () => undefined },
  });
  const table = toolTable([unitsOf]);
  return {
    id: principal.id,
    ask: async (name: string, args: object) => callTool({ name, arguments: args }, await call(), table),
  };
}

describe("an older version", () => {
  it("is asked for by an argument of the tool's one entry, which says until when and what it answers", () => {
    expect(lists["tools/list"].entries.map(({ shown }) => shown)).toEqual(
      tools.map((tool) => tool.definition),
    );
    expect(unitsOf.definition).toMatchObject({
      name: "units_of",
      inputSchema: {
        properties: { item: expect.anything(), version: { enum: ["v1", "v2"] } },
        required: ["item"],
      },
      outputSchema: {
        type: "object",
        anyOf: [{ required: ["item", "units"] }, { type: "object", required: ["sku", "stock"] }],
      },
      _meta: {
        "product-catalog-mcp/version": 2,
        "product-catalog-mcp/deprecated": { v1: { since: "2026-12-01", until: "2027-06-01" } },
      },
    });
  });

  it("accepts and answers its own shape", async () => {
    const { ask } = newCaller();
    expect(await ask(...V1)).toEqual({
      content: [{ type: "text", text: "SKU-10001 has 36" }],
      structuredContent: { sku: "SKU-10001", stock: 36 },
    });
    expect(await ask(...V2)).toMatchObject({ structuredContent: { item: { sku: "SKU-10001" }, units: 36 } });
    const refused = { isError: true, _meta: { [REFUSAL_META_KEY]: { code: "invalid_arguments" } } };
    const named = await ask("units_of", { ...V2[1], version: "v2" });
    expect(named).toMatchObject({ structuredContent: { item: { sku: "SKU-10001" }, units: 36 } });
    expect(await ask("units_of", { ...V2[1], version: "v1" })).toMatchObject(refused);
    expect(await ask("units_of", { sku: "SKU-10001" })).toMatchObject(refused);
    for (const version of ["v0", "v3", "V1", 1, null, {}])
      expect(await ask("units_of", { ...V2[1], version })).toMatchObject(version === null ? {} : refused);
  });

  it("is impossible beside an argument `version` of the tool's own", () => {
    const contract = { inputSchema: { properties: { version: {} } }, outputSchema: {} };
    expect(() => withEarlier(contract, [])).not.toThrow();
    const earlier = { ...contract, names: ["v1"], deprecated: { since: "2026-12-01", until: "2027-06-01" } };
    expect(() => withEarlier(contract, [earlier])).toThrow("version");
  });

  it("has the current version's permission", async () => {
    const { ask } = newCaller({ allowed: false });
    const refused = { isError: true, _meta: { [REFUSAL_META_KEY]: { code: "permission_denied" } } };
    expect(await ask(...V1)).toMatchObject(refused);
    expect(await ask(...V2)).toMatchObject(refused);
  });

  it("counts in the same window", async () => {
    const { ask } = newCaller({ calls: 2 });
    expect(await ask(...V1)).not.toHaveProperty("isError");
    expect(await ask(...V2)).not.toHaveProperty("isError");
    const refused = { isError: true, _meta: { [REFUSAL_META_KEY]: { code: "rate_limited" } } };
    expect(await ask(...V1)).toMatchObject(refused);
  });

  it("leaves the same audit: name, arguments, and objects of the call and the answer", async () => {
    const { id, ask } = newCaller();
    await ask(...V1);
    await ask(...V2);
    const { lines } = await exported(id);
    const records = lines.slice(1).map((line): unknown => JSON.parse(line).record);
    const attempts = records.flatMap((each) => attemptSchema.safeParse(each).data ?? []);
    const outcomes = records.flatMap((each) => outcomeSchema.safeParse(each).data ?? []);
    const [first, second] = attempts.map(({ name, digest, arguments: args, flow }) => ({
      name,
      digest,
      args,
      flow,
    }));
    expect(first).toEqual(second);
    expect(first?.name).toBe("units_of");
    expect(first?.flow?.objects).toHaveLength(1);
    expect(outcomes).toHaveLength(2);
    expect(outcomes[0]?.flow).toEqual(outcomes[1]?.flow);
    expect(outcomes[0]?.flow?.objects).toEqual(first?.flow?.objects);
  });
});
