import { beforeAll, describe, expect, it } from "vitest";
import { mayReach } from "../../../src/mcp/access.ts";
import { discoveryTarget, promptTarget, resourceTarget, toolTarget } from "../../../src/mcp/targets.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { prompts } from "../../../src/prompts/registry.ts";
import { resourceTemplates, resources } from "../../../src/resources/registry.ts";
import { tools } from "../../../src/tools/registry.ts";
import { newCaller, policyWith, roleOf } from "../support/caller.ts";
import { fill, sample } from "../support/catalog.ts";

beforeAll(() => fill(sample));

// Every role may read the catalog. The other permissions of a role are written out, so that a change of policy.json or a registry that
// opens more must be stated here.
const catalogTools = tools.filter(({ scope }) => scope === "catalog:read");
const CATALOG_TOOLS = catalogTools.map(({ name }) => name);
const CATALOG_RESOURCES = ["catalog://products/summary", "catalog://categories"];
const PRODUCT_TEMPLATE = "catalog://products/{sku}";
const PROMPTS = ["find_product", "compare_products", "stock_report"];
const CATALOG = [...CATALOG_TOOLS, ...CATALOG_RESOURCES, PRODUCT_TEMPLATE, ...PROMPTS];
const STOCK = [
  "update_inventory",
  "reserve_stock",
  "commit_reservation",
  "release_reservation",
  "list_reservations",
  "undo_change",
  "list_changes",
];
const DESK_TOOLS = [
  "search_customers",
  "get_customer",
  "get_customer_orders",
  "get_order",
  "get_payment_methods",
  "list_tickets",
  "get_ticket",
  "close_ticket",
  "reopen_ticket",
];
const DESK_RESOURCES = [...CATALOG_RESOURCES, "data://customers/summary", PRODUCT_TEMPLATE];
const DESK = [...CATALOG_TOOLS, ...DESK_TOOLS, ...DESK_RESOURCES, ...PROMPTS];
const MAY: Record<string, { scopes: string[]; names: string[]; customers: "own" | "all" }> = {
  anonymous: { scopes: ["catalog:read"], names: CATALOG, customers: "own" },
  shopper: { scopes: ["catalog:read"], names: CATALOG, customers: "own" },
  customer: {
    scopes: ["catalog:read", "support:read"],
    // These tools only read, and show only the customer's own rows.
    names: [
      ...CATALOG_TOOLS,
      "get_customer",
      "get_customer_orders",
      "get_order",
      "get_payment_methods",
      "list_tickets",
      "get_ticket",
      ...CATALOG_RESOURCES,
      PRODUCT_TEMPLATE,
      ...PROMPTS,
    ],
    customers: "own",
  },
  support: { scopes: ["catalog:read", "support:read", "support:write"], names: DESK, customers: "all" },
  inventory: {
    scopes: ["catalog:read", "inventory:write"],
    names: [...CATALOG_TOOLS, ...STOCK, ...CATALOG_RESOURCES, PRODUCT_TEMPLATE, ...PROMPTS],
    customers: "own",
  },
  admin: {
    scopes: ["catalog:read", "inventory:write", "support:read", "support:write", "admin"],
    names: [...CATALOG_TOOLS, ...DESK_TOOLS, ...STOCK, ...DESK_RESOURCES, ...PROMPTS],
    customers: "all",
  },
};

it.each(catalogTools)("every role may use $name, which reads the catalog alone", ({ labels }) => {
  expect(labels).toMatchObject({ classes: ["catalog"], kinds: ["source"] });
});

const everything = [
  ...tools.map((tool) => ({ name: tool.name, target: toolTarget(tool) })),
  ...resources.map((resource) => ({ name: resource.uri, target: resourceTarget({ resource }) })),
  ...resourceTemplates.map((template) => ({
    name: template.uriTemplate,
    target: resourceTarget({ template, value: "" }),
  })),
  ...prompts.map((prompt) => ({ name: prompt.definition.name, target: promptTarget(prompt) })),
];
const ALL_SCOPES = MAY["admin"]?.scopes ?? [];
/** Returns everything that a caller with these roles can use. */
const reached = (roles: string[], scopes = ALL_SCOPES, policy = policyInForce()) => {
  const { principal } = newCaller({ roles, scopes });
  return everything.filter(({ target }) => mayReach({ policy, principal }, target)).map(({ name }) => name);
};

describe("the policy in force", () => {
  it("has these roles and no others", () => {
    expect(Object.keys(policyInForce().roles)).toEqual(Object.keys(MAY));
  });

  it.each(Object.entries(MAY))("lets %s use exactly this", (role, { scopes, names, customers }) => {
    expect(reached([role], scopes)).toEqual(names);
    // A scope that the role's tokens cannot get opens nothing more.
    expect(reached([role])).toEqual(names);
    const inForce = policyInForce().roles[role];
    expect(inForce?.scopes).toEqual(scopes);
    expect(inForce?.customers ?? "own").toBe(customers);
  });

  it("does not let a token with only the catalog scope read people or write", () => {
    for (const role of Object.keys(MAY)) expect(reached([role], ["catalog:read"])).toEqual(CATALOG);
    expect(reached(["support"], ["catalog:read", "support:read"])).toEqual(
      DESK.filter((name) => name !== "close_ticket" && name !== "reopen_ticket"),
    );
  });

  it.each(["nobody", "", "Admin", "admin ", "__proto__", "constructor", "toString", "?", "*"])(
    "lets the unknown role %j use nothing",
    (role) => {
      expect(reached([role])).toEqual([]);
      expect(reached([role, "nobody"])).toEqual([]);
    },
  );

  it("lets a caller without a role or without the scope use nothing", () => {
    expect(reached([])).toEqual([]);
    for (const role of Object.keys(MAY)) expect(reached([role], [])).toEqual([]);
    expect(reached(["admin"], ["admin", "CATALOG:READ", "catalog:read "])).toEqual([]);
  });

  it("requires the scope of everything that can be listed, and none to connect", () => {
    const { principal, policy } = newCaller({ roles: ["admin"], scopes: [] });
    const may = (method: string) => mayReach({ policy, principal }, discoveryTarget(method));
    expect(["initialize", "server/discover"].map(may)).toEqual([true, true]);
    expect(["tools/list", "prompts/list", "resources/list", "resources/templates/list"].map(may)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

/**
 * A policy whose role clerk may use a part of everything, named in another order than the registries have.
 */
const narrow = policyWith({
  roles: {
    clerk: roleOf({
      tools: ["list_categories", "search_products"],
      resources: ["catalog://products/{sku}", "catalog://categories"],
      prompts: ["stock_report", "find_product"],
    }),
    porter: roleOf({ tools: ["query_stock"] }),
    idle: roleOf({}),
  },
});
const FORBIDDEN = /get_product|query_stock|products\/summary|compare_products/;

describe("a narrower role", () => {
  const clerk = () => newCaller({ policy: narrow, roles: ["clerk"] });
  const listed = async (roles: string[], [method, key, name]: (typeof lists)[number]) => {
    const { result } = await newCaller({ policy: narrow, roles }).ask(method);
    const entries: unknown = result?.[key];
    return Array.isArray(entries) ? entries.map((entry: Record<string, unknown>) => entry[name]) : entries;
  };
  const lists = [
    ["tools/list", "tools", "name"],
    ["resources/list", "resources", "uri"],
    ["resources/templates/list", "resourceTemplates", "uriTemplate"],
    ["prompts/list", "prompts", "name"],
  ] as const;
  const all = (roles: string[]) => Promise.all(lists.map((list) => listed(roles, list)));

  it("sees only what it may use in lists, in the registries' order", async () => {
    expect(await all(["clerk"])).toEqual([
      ["search_products", "list_categories"],
      ["catalog://categories"],
      ["catalog://products/{sku}"],
      ["find_product", "stock_report"],
    ]);
  });

  it("sees with a second role what either may use, in any order", async () => {
    const both = await all(["clerk", "porter"]);
    expect(both[0]).toEqual(["search_products", "query_stock", "list_categories"]);
    expect(await all(["porter", "clerk"])).toEqual(both);
    expect(await all(["clerk", "nobody", "porter"])).toEqual(both);
  });

  it("that may use nothing sees empty lists", async () => {
    expect(await all(["idle"])).toEqual([[], [], [], []]);
  });

  it.each<[string, Record<string, unknown>]>([
    ["tools/call", { name: "get_product", arguments: { sku: "SKU-10001" } }],
    ["tools/call", { name: "query_stock", arguments: { sku: 7 } }],
    ["resources/read", { uri: "catalog://products/summary" }],
    ["prompts/get", { name: "compare_products", arguments: { skus: "SKU-10001,SKU-10002" } }],
    [
      "completion/complete",
      { ref: { type: "ref/prompt", name: "compare_products" }, argument: { name: "skus", value: "SKU" } },
    ],
  ])("is denied by %s %j", async (method, params) => {
    const { refusal, result } = await clerk().ask(method, params);
    expect(refusal?.code).toBe("permission_denied");
    expect(result?.["structuredContent"]).toBeUndefined();
    expect(JSON.stringify(refusal)).not.toMatch(FORBIDDEN);
  });

  it.each<[string, Record<string, unknown>]>([
    ["tools/call", { name: "nope" }],
    ["resources/read", { uri: "catalog://nope" }],
    ["prompts/get", { name: "nope" }],
    ["prompts/get", { name: "stock_report", arguments: { skus: "SKU-1000" } }],
    ["resources/read", { uri: "catalog://products/SKU-1000" }],
    [
      "completion/complete",
      { ref: { type: "ref/prompt", name: "nope" }, argument: { name: "a", value: "" } },
    ],
    ["tools/call", { name: "search_products", arguments: { query: "x", category: "Nope" } }],
  ])("learns from %s %j nothing that it may not use", async (method, params) => {
    const { refusal } = await clerk().ask(method, params);
    expect(refusal?.code).toMatch(/^(unknown_tool|not_found|invalid_arguments)$/);
    expect(JSON.stringify(refusal)).not.toMatch(FORBIDDEN);
  });

  it("sees hints only for what it may use", async () => {
    const { ask } = clerk();
    expect((await ask("prompts/get", { name: "nope" })).refusal?.hints).toEqual({
      prompts: ["find_product", "stock_report"],
    });
    expect((await ask("resources/read", { uri: "nope:" })).refusal?.hints).toEqual({
      resources: ["catalog://categories", "catalog://products/{sku}"],
    });
  });

  it("uses what it may", async () => {
    const { ask } = clerk();
    expect((await ask("tools/call", { name: "list_categories" })).refusal).toBeUndefined();
    expect((await ask("resources/read", { uri: "catalog://products/SKU-10001" })).refusal).toBeUndefined();
  });
});
