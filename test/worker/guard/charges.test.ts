import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { toolTarget } from "../../../src/mcp/targets.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { refuse } from "../../../src/refusal.ts";
import { type RefusalCode } from "../../../src/refusal-codes.ts";
import { getProduct } from "../../../src/tools/get-product.ts";
import { newCaller, policyWith, recordsOf, roleOf } from "../support/caller.ts";
import { fill, sample } from "../support/catalog.ts";

const NOW = 1_800_000_000_000;
const { roles, limits } = policyInForce();
/** Three calls a minute, and everything but get_product and stock_report. */
const narrow = policyWith({
  roles: {
    shopper: roleOf({
      ...roles["shopper"],
      tools: ["search_products", "query_stock", "list_categories"],
      prompts: ["find_product", "compare_products"],
      limits: { calls: { max: 3, window_s: 60 }, discovery: { max: 2, window_s: 60 } },
    }),
  },
});

beforeAll(() => fill(sample));
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

type GuardedCall = [method: string, params: Record<string, unknown>];
const tool = (name: string, args: unknown = {}): GuardedCall => ["tools/call", { name, arguments: args }];
const good = tool("list_categories");

/** Returns how many more calls fit after one call of a caller: its charge, seen from outside. */
async function leftAfter([method, params]: GuardedCall) {
  const { ask } = newCaller({ policy: narrow });
  const first = await ask(method, params);
  let left = 0;
  while ((await ask(...good)).refusal === undefined) left += 1;
  return { code: first.refusal?.code, left };
}

describe("charges", () => {
  it.each<[string, GuardedCall, RefusalCode | undefined]>([
    ["a call that is answered", good, undefined],
    ["a call that finds nothing", tool("query_stock", { sku: "SKU-0" }), "not_found"],
    ["bad arguments", tool("search_products", { query: 7 }), "invalid_arguments"],
    ["missing arguments", ["tools/call", { name: "query_stock" }], "invalid_arguments"],
    ["arguments that are a list", tool("search_products", []), "invalid_arguments"],
    ["no name", ["tools/call", {}], "invalid_arguments"],
    ["an unknown tool", tool("drop_tables"), "unknown_tool"],
    ["a tool named like a prototype's", tool("__proto__"), "unknown_tool"],
    ["a tool that the role lacks", tool("get_product", { sku: "SKU-10001" }), "permission_denied"],
    ["a resource", ["resources/read", { uri: "catalog://categories" }], undefined],
    ["an unknown resource", ["resources/read", { uri: "catalog://nope" }], "not_found"],
    ["an unknown product's resource", ["resources/read", { uri: "catalog://products/SKU-0" }], "not_found"],
    ["a prompt", ["prompts/get", { name: "find_product", arguments: { need: "typing" } }], undefined],
    ["an unknown prompt", ["prompts/get", { name: "nope" }], "not_found"],
    ["a prompt that the role lacks", ["prompts/get", { name: "stock_report" }], "permission_denied"],
    [
      "a completion",
      [
        "completion/complete",
        { ref: { type: "ref/prompt", name: "find_product" }, argument: { name: "category", value: "e" } },
      ],
      undefined,
    ],
    [
      "a completion of a prompt that the role lacks",
      [
        "completion/complete",
        { ref: { type: "ref/prompt", name: "stock_report" }, argument: { name: "skus", value: "S" } },
      ],
      "permission_denied",
    ],
    ["a completion of nothing", ["completion/complete", {}], "invalid_arguments"],
  ])("%s: one call of three", async (_, asked, code) => {
    expect(await leftAfter(asked)).toEqual({ code, left: 2 });
  });

  it.each<[string, GuardedCall]>([
    ["tools/list", ["tools/list", {}]],
    ["a list with a made-up cursor", ["prompts/list", { cursor: "x" }]],
  ])("%s: no charge on the calls", async (_, asked) => {
    expect((await leftAfter(asked)).left).toBe(3);
  });

  it("do not apply to refusals by the limit: the next call is due when the first leaves the window", async () => {
    const { ask } = newCaller({ policy: narrow });
    for (let left = 3; left > 0; left--) expect((await ask(...good)).refusal).toBeUndefined();
    for (let flood = 0; flood < 50; flood++) {
      vi.setSystemTime(NOW + flood * 1_000);
      expect((await ask(...good)).refusal).toMatchObject({
        code: "rate_limited",
        retryAfterMs: 60_000 - flood * 1_000,
      });
    }
    vi.setSystemTime(NOW + 59_999);
    expect((await ask(...good)).refusal).toMatchObject({ code: "rate_limited", retryAfterMs: 1 });
    vi.setSystemTime(NOW + 60_000);
    expect((await ask(...good)).refusal).toBeUndefined();
  });

  it("discovery has its own limit, which calls don't use up", async () => {
    const { ask } = newCaller({ policy: narrow });
    while ((await ask(...good)).refusal === undefined);
    expect((await ask("tools/list")).refusal).toBeUndefined();
    expect((await ask("resources/templates/list")).refusal).toBeUndefined();
    expect((await ask("prompts/list")).refusal).toMatchObject({ code: "rate_limited", retryAfterMs: 60_000 });
  });

  it("weights apply to tools, resources and prompts, and never to discovery", async () => {
    const weights = { query_stock: 2, "tools/list": 3 };
    const { ask } = newCaller({ policy: { ...narrow, weights } });
    expect((await ask("tools/list")).refusal).toBeUndefined();
    expect((await ask(...tool("query_stock", { sku: "SKU-10001" }))).refusal).toBeUndefined();
    expect((await ask(...tool("query_stock", { sku: "SKU-10001" }))).refusal?.code).toBe("rate_limited");
    expect((await ask(...good)).refusal).toBeUndefined();
    expect((await ask(...good)).refusal?.code).toBe("rate_limited");
  });
});

describe("the first refusal in the guard's order is answered", () => {
  const signature = refuse("unauthenticated", "The signature does not match.").refusal;
  const bad = refuse("invalid_arguments", "Bad.").refusal;
  const yes = [false, true];
  const cases = yes.flatMap((forged) =>
    yes.flatMap((forbidden) =>
      yes.flatMap((full) => yes.map((malformed) => ({ forged, forbidden, full, malformed }))),
    ),
  );
  const expected = ({ forged, forbidden, full, malformed }: (typeof cases)[number]) => {
    if (forged) return "unauthenticated";
    if (forbidden) return "permission_denied";
    if (full) return "rate_limited";
    return malformed ? "invalid_arguments" : undefined;
  };

  it.each(cases)("%o", async (each) => {
    const { newGuard, ask } = newCaller({ policy: narrow });
    const guard = await newGuard();
    if (each.full) for (let call = 0; call < 3; call++) await ask(...good);
    const target = each.forbidden ? toolTarget(getProduct) : { ...toolTarget(getProduct), access: undefined };
    const refused = {
      ...(each.forged && { signature }),
      ...(each.malformed && { arguments: bad }),
    };
    const answer = await guard.admit({ correlationId: "ref-1", target, args: {}, refused });
    expect(answer.ok ? undefined : answer.refusal.code).toBe(expected(each));
  });
});

it("a megabyte of ids in refused arguments makes no large record", async () => {
  const { ask, object } = newCaller();
  const skus = Array.from({ length: 170_000 }, (_, index) => index.toString(36));
  expect((await ask(...tool("query_stock", { skus }))).refusal?.code).toBe("invalid_arguments");
  const [record] = await recordsOf(object);
  expect(record).toMatchObject({ decision: "invalid_arguments", flow: { objects: [] } });
  expect(JSON.stringify(record).length).toBeLessThan(2_000);
});

it("a role without its own limits has the default limits", async () => {
  const { ask } = newCaller();
  for (let call = 0; call < limits.calls.max; call++)
    expect((await ask(...tool("nope"))).refusal?.code).toBe("unknown_tool");
  expect((await ask(...good)).refusal?.code).toBe("rate_limited");
});

it("a completed value is shown or hidden by the argument's name, as in a call", async () => {
  const redact = { except: { find_product: ["category", "value", "name"] } };
  const { ask, object } = newCaller({ policy: policyWith({ redact }) });
  const ref = { type: "ref/prompt", name: "find_product" };
  for (const name of ["category", "need", "__proto__"])
    await ask("completion/complete", { ref, argument: { name, value: "typed" } });
  const attempts = (await recordsOf(object)).filter((record) => record.kind === "attempt");
  expect(attempts.map((attempt) => attempt.arguments)).toEqual([
    '{"category":"typed"}',
    '{"redacted":1}',
    '{"redacted":1}',
  ]);
});
