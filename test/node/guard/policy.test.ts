import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import policyJson from "../../../policy.json" with { type: "json" };
import { problemsOf } from "../../../cli/policy/check.ts";
import { allows, limitOf, weightOf } from "../../../src/policy/roles.ts";
import { type Policy, parsePolicy } from "../../../src/policy/schema.ts";
import { prompts } from "../../../src/prompts/registry.ts";
import { resourceTemplates, resources } from "../../../src/resources/registry.ts";
import { tools } from "../../../src/tools/registry.ts";

const limit = (max: number, window_s = 60) => ({ max, window_s });
const role = {
  scopes: ["catalog:read"],
  tools: ["t"],
  resources: ["r"],
  prompts: ["p"],
  customers: "own" as const,
};
const inForce = parsePolicy(policyJson);
if (!inForce.ok) throw new Error(JSON.stringify(inForce.problems));
const NOBODY_SIGNS_ON = { ...inForce.policy.sign_on, mapping: {} };
const good: Policy = {
  ...inForce.policy,
  // Parsed rules have windows in milliseconds, which the parser would reject.
  rules: [],
  roles: { clerk: role, chief: { ...role, limits: { calls: limit(50), discovery: limit(60) } } },
  limits: { calls: limit(100), discovery: limit(300) },
  weights: { t: 5 },
  fail_open: {
    targets: ["t"],
    limit: limit(20),
    products: { per_caller: 200, per_isolate: 2_000, window_s: 3_600 },
  },
  redact: { except: { t: ["sku"] } },
  sign_on: NOBODY_SIGNS_ON,
  local_role: "chief",
  retention: { audit_days: 90, changes_days: 90, searches_days: 30 },
};
const parsed = (changes: object) => parsePolicy({ ...good, ...changes });
const clerk = (changes: object) => ({ roles: { clerk: { ...role, ...changes } } });

/** Returns the path of every member of a value, recursively. */
function pathsIn(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const own = [...path, Array.isArray(value) ? Number(name) : name];
    return [...(Array.isArray(value) ? [] : [own]), ...pathsIn(member, own)];
  });
}

/** Returns a copy of a value without the member at a path. */
const without = (value: unknown, [name = "", ...rest]: (string | number)[]): unknown => {
  if (Array.isArray(value)) return value.map((each, index) => (index === name ? without(each, rest) : each));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([each, member]) => {
      if (each !== name) return [[each, member]];
      return rest.length === 0 ? [] : [[each, without(member, rest)]];
    }),
  );
};

it("reports every required member of the shipped policy when it is missing", () => {
  const said = new Set<string>();
  let required = 0;
  for (const path of pathsIn(policyJson)) {
    const result = parsePolicy(without(policyJson, path));
    const own = result.ok ? [] : result.problems.filter((problem) => problem.path === path.join("."));
    required += own.length;
    for (const { reason } of own) said.add(reason);
  }
  expect(required).toBeGreaterThan(100);
  // A step of a sequence needs one of two members.
  said.delete("Name classes or kinds");
  expect([...said]).toEqual(["is missing"]);
});

describe("a policy", () => {
  it("is accepted if it is valid", () => {
    expect(parsePolicy(good)).toEqual({ ok: true, policy: good });
  });

  it.each<[string, object, string, RegExp]>([
    ["no limits", { limits: undefined }, "limits", /^is missing$/],
    ["no roles", { roles: undefined }, "roles", /^is missing$/],
    ["a misspelt section", { limts: {} }, "(the whole)", /limts/],
    ["a misspelt field of a role", clerk({ tool: [] }), "roles.clerk", /tool/],
    ["a role in capitals", { roles: { Clerk: role } }, "roles.Clerk", /./],
    ["a role without its prompts", clerk({ prompts: undefined }), "roles.clerk.prompts", /^is missing$/],
    ["an invalid name", clerk({ tools: [""] }), "roles.clerk.tools.0", />=1/],
    ["names as one string", clerk({ resources: "r" }), "roles.clerk.resources", /expected array/],
    ["a limit of 0", { limits: { ...good.limits, calls: limit(0) } }, "limits.calls.max", />=1/],
    ["half a call", { limits: { ...good.limits, calls: limit(1.5) } }, "limits.calls.max", /int/],
    [
      "a limit as text",
      { limits: { ...good.limits, calls: { max: "9", window_s: 1 } } },
      "limits.calls.max",
      /number/,
    ],
    [
      "a limit in minutes",
      { limits: { ...good.limits, calls: { max: 9, window_min: 1 } } },
      "limits.calls",
      /window_min/,
    ],
    [
      "a window of no length",
      { limits: { ...good.limits, calls: limit(9, 0) } },
      "limits.calls.window_s",
      />=1/,
    ],
    [
      "a window of a day",
      { limits: { ...good.limits, calls: limit(9, 86_400) } },
      "limits.calls.window_s",
      /<=3600/,
    ],
    [
      "calls beyond the memory bound",
      { limits: { ...good.limits, calls: limit(601) } },
      "limits.calls.max",
      /<=600/,
    ],
    [
      "both beyond the memory bound",
      { limits: { calls: limit(1_000), discovery: limit(1_001) } },
      "limits",
      /memory bound of 600/,
    ],
    [
      "a role's beyond the memory bound",
      clerk({ limits: { calls: limit(599), discovery: limit(2) } }),
      "roles.clerk.limits",
      /memory bound of 600/,
    ],
    ["a weight of 0", { weights: { t: 0 } }, "weights.t", />=1/],
    ["a weight above its limit", { weights: { t: 101 } }, "weights.t", /above the limit of 100 at limits/],
    [
      "a weight above one role's limit",
      { weights: { t: 51 } },
      "weights.t",
      /above the limit of 50 at roles\.chief\.limits/,
    ],
    ["a fail mode without its limit", { fail_open: { targets: [] } }, "fail_open.limit", /^is missing$/],
    ["redaction by a pattern", { redact: { except: { t: "*" } } }, "redact.except.t", /expected array/],
    ["an unknown local role", { local_role: "staff" }, "local_role", /no role "staff"/],
    ["no local role", { local_role: undefined }, "local_role", /^is missing$/],
    ["retention of 0 days", { retention: { audit_days: 0 } }, "retention.audit_days", />=1/],
    ["unlimited retention", { retention: { audit_days: Infinity } }, "retention.audit_days", /./],
  ])("with %s is refused with the path and the reason", (_, changes, path, reason) => {
    const result = parsed(changes);
    expect(result.ok).toBe(false);
    expect(result.ok ? [] : result.problems).toEqual(
      expect.arrayContaining([{ path, reason: expect.stringMatching(reason) }]),
    );
  });

  it.each([undefined, null, 7, "{}", [], [good]])("is refused as a whole if it is %j", (json) => {
    expect(parsePolicy(json)).toMatchObject({ ok: false, problems: [{ path: "(the whole)" }] });
  });

  it("grants nothing by naming a prototype", () => {
    const result = parsePolicy(JSON.parse(JSON.stringify(good).replace("clerk", "__proto__")));
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    expect(Object.keys(result.policy.roles)).toEqual(["chief"]);
    expect(allows(result.policy, ["__proto__", "clerk", "nobody"], "tools", "t")).toBe(false);
  });

  it("reports each of several mistakes", () => {
    const result = parsed({ limits: { calls: limit(0), discovery: limit(1.5) }, retention: {} });
    expect(result.ok ? [] : result.problems.map(({ path }) => path)).toEqual([
      "limits.calls.max",
      "limits.discovery.max",
      "retention.audit_days",
    ]);
  });
});

describe("limits", () => {
  const limits = (calls: { max: number; window_s: number }) => ({ calls, discovery: limit(10) });
  const policy: Policy = {
    ...good,
    roles: {
      plain: role,
      slow: { ...role, limits: limits(limit(10)) },
      fast: { ...role, limits: limits(limit(40, 10)) },
      even: { ...role, limits: limits(limit(240)) },
    },
  };
  it.each<[string[], object]>([
    [[], limit(100)],
    [["nobody"], limit(100)],
    [["__proto__"], limit(100)],
    [["plain"], limit(100)],
    [["slow"], limit(10)],
    [["slow", "nobody"], limit(10)],
    [["slow", "plain"], limit(100)],
    [["plain", "slow"], limit(100)],
    [["plain", "fast", "slow"], limit(40, 10)],
    [["slow", "fast", "plain"], limit(40, 10)],
    // Both allow the same amount, so the first wins.
    [["fast", "even"], limit(40, 10)],
    [["even", "fast"], limit(240)],
  ])("of %j are the most generous ones", (roles, expected) => {
    expect(limitOf(policy, roles, "calls")).toEqual(expected);
  });

  it("weigh a call 1 if the policy says nothing, and discovery always", () => {
    expect(["t", "u", "__proto__", "constructor"].map((name) => weightOf(good, "calls", name))).toEqual([
      5, 1, 1, 1,
    ]);
    expect(weightOf(good, "discovery", "t")).toBe(1);
  });
});

describe("policy.json", () => {
  const nothing = { scopes: [], tools: [], resources: [], prompts: [] };
  const part = (changes: object) => ({ roles: { clerk: { ...nothing, ...changes } } });
  const policy = parsePolicy(policyJson);

  it("is valid", () => {
    expect(problemsOf(policy)).toEqual([]);
  });

  it("grants every registered name to some role", () => {
    if (!policy.ok) throw new Error("It is broken.");
    const roles = Object.keys(policy.policy.roles);
    const registered = [
      // The policy names a tool once for all of its versions.
      ...tools.map((tool) => ["tools", tool.name] as const),
      ...resources.map(({ uri }) => ["resources", uri] as const),
      ...resourceTemplates.map(({ uriTemplate }) => ["resources", uriTemplate] as const),
      ...prompts.map((prompt) => ["prompts", prompt.definition.name] as const),
    ];
    expect(registered.filter(([kind, name]) => !allows(policy.policy, roles, kind, name))).toEqual([]);
  });

  it.each<[string, object, string]>([
    ["a tool", part({ tools: ["search_product"] }), "roles.clerk.tools"],
    ["a resource", part({ resources: ["catalog://products"] }), "roles.clerk.resources"],
    ["a tool among the prompts", part({ prompts: ["get_product"] }), "roles.clerk.prompts"],
    ["a scope", part({ scopes: ["catalog:write"] }), "roles.clerk.scopes"],
    ["a weight", { weights: { nope: 2 } }, "weights"],
    ["a redaction", { redact: { except: { nope: [] } } }, "redact.except"],
    [
      "a fail mode",
      { fail_open: { targets: ["completion/complete"], limit: limit(1) } },
      "fail_open.targets",
    ],
  ])("is refused with %s that does not exist", (_, changes, path) => {
    const problems = problemsOf(
      parsePolicy({ ...policyJson, sign_on: NOBODY_SIGNS_ON, local_role: null, ...changes }),
    );
    expect(problems).toEqual([{ path, reason: expect.stringMatching(/^there is no "/) }]);
  });

  it("has an up-to-date schema for editors", async () => {
    const { policySchema } = await import("../../../src/policy/schema.ts");
    const { toJSONSchema } = await import("zod");
    const written: unknown = JSON.parse(await readFile("policy.schema.json", "utf8"));
    expect(written).toEqual(JSON.parse(JSON.stringify(toJSONSchema(policySchema, { io: "input" }))));
  });
});
