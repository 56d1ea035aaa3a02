import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { newCaller, policyWith, recordsOf, roleOf } from "../support/caller.ts";
import { fill, sample } from "../support/catalog.ts";
import { failing } from "../support/failing-callers.ts";

const NOW = 1_800_000_000_000;
const { limit } = policyInForce().fail_open;

beforeAll(() => fill(sample));
let logged: string[];
beforeEach(() => {
  logged = [];
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  vi.spyOn(console, "error").mockImplementation((line: unknown) => void logged.push(String(line)));
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const broken = (flags: object) => Object.assign(new Error("the object's own words"), flags);

const throwing = (flags: object) => () => Promise.reject(broken(flags));
const always = (failure: () => Promise<never>) => Array.from({ length: 1_000 }, () => failure);
const away = () => failing("decideAll", ...always(throwing({})));

const events = (name: string) =>
  logged.map((line): Record<string, unknown> => JSON.parse(line)).filter(({ event }) => event === name);

/** Waits, by the real clock, until so many calls have reached the object: their timers are set then. */
async function untilAsked(stubs: readonly unknown[], calls: number): Promise<void> {
  while (stubs.length < calls) await scheduler.wait(1);
}

const good = ["tools/call", { name: "list_categories" }] as const;

describe("an object that throws", () => {
  it.each([
    // The runtime has retried by then.
    { what: "a retryable error", flags: { retryable: true }, tries: 1 },
    { what: "a retryable error of the object", flags: { retryable: true, remote: true }, tries: 1 },
    { what: "a reset", flags: { remote: true, durableObjectReset: true }, tries: 2 },
    { what: "another error", flags: {}, tries: 1 },
    { what: "flags that are not booleans", flags: { retryable: "yes" }, tries: 1 },
  ])("$what is tried $tries time(s); a public read goes on, and that is logged", async ({ flags, tries }) => {
    const { callers, stubs } = failing("decideAll", throwing(flags), throwing(flags), throwing(flags));
    const { ask } = newCaller({ callers });
    const { result, refusal } = await ask(...good);
    expect(refusal).toBeUndefined();
    expect(result).toHaveProperty("structuredContent");
    expect(stubs).toHaveLength(tries);
    expect(events("guard_degraded")).toMatchObject([
      {
        event: "guard_degraded",
        correlation_id: expect.any(String),
        target: "list_categories",
        served: true,
      },
    ]);
  });

  it.each([{ overloaded: true }, { overloaded: true, retryable: true }, { overloaded: true, remote: true }])(
    "when overloaded is tried once and serves nothing, because its own caller may have overloaded it: %o",
    async (flags) => {
      const { callers, stubs } = failing("decideAll", throwing(flags), throwing(flags));
      const { ask } = newCaller({ callers });
      expect((await ask(...good)).refusal).toMatchObject({ code: "unavailable" });
      expect((await ask("tools/list")).refusal).toMatchObject({ code: "unavailable" });
      expect(stubs).toHaveLength(2);
      expect(events("guard_degraded")).toMatchObject([
        { target: "list_categories", served: false, products: 0, overloaded: true },
        { target: "tools/list", served: false, products: 0, overloaded: true },
      ]);
    },
  );

  it("once, because it was reset, leaves one admission by a new stub, and nothing is logged", async () => {
    const { callers, stubs } = failing("decideAll", throwing({ remote: true, durableObjectReset: true }));
    const { ask, object } = newCaller({ callers });
    expect((await ask(...good)).refusal).toBeUndefined();
    expect(stubs.slice(0, 2)).toHaveLength(2);
    const attempts = (await recordsOf(object)).filter(({ kind }) => kind === "attempt");
    expect(attempts).toHaveLength(1);
    expect(logged).toEqual([]);
  });

  it("or never answers is given up after three seconds", async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { callers, stubs } = failing("decideAll", () => new Promise<never>(() => {}));
    const asked = newCaller({ callers }).ask(...good);
    await untilAsked(stubs, 1);
    vi.advanceTimersByTime(2_999);
    expect(logged).toEqual([]);
    vi.advanceTimersByTime(1);
    vi.useRealTimers();
    expect((await asked).refusal).toBeUndefined();
    expect(stubs).toHaveLength(1);
    expect(events("guard_degraded")).toHaveLength(1);
  });

  it("or does not answer while its caller sends it many calls serves nothing", async () => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const hangs = () => new Promise<never>(() => {});
    const { callers, stubs } = failing("decideAll", ...Array.from({ length: 100 }, () => hangs));
    const { ask } = newCaller({ callers });
    const asked = Array.from({ length: 60 }, () => ask(...good));
    await untilAsked(stubs, 60);
    vi.advanceTimersByTime(3_000);
    vi.useRealTimers();
    const answers = await Promise.all(asked);
    expect(answers.filter(({ refusal }) => refusal?.code === "unavailable")).toHaveLength(60);
    expect(events("guard_degraded").filter(({ served }) => served === true)).toEqual([]);
  });
});

describe("while the object is away", () => {
  it("each caller is served under a small limit of its own, by the window's rule", async () => {
    const { callers } = away();
    const [one, other] = [newCaller({ callers }), newCaller({ callers })];
    for (let call = 0; call < limit.max; call++) {
      vi.setSystemTime(NOW + call);
      expect((await one.ask(...good)).refusal).toBeUndefined();
    }
    expect((await one.ask(...good)).refusal).toMatchObject({ code: "unavailable" });
    expect((await other.ask(...good)).refusal).toBeUndefined();
    vi.setSystemTime(NOW + limit.window_s * 1_000 - 1);
    expect((await one.ask(...good)).refusal).toMatchObject({ code: "unavailable" });
    vi.setSystemTime(NOW + limit.window_s * 1_000);
    expect((await one.ask(...good)).refusal).toBeUndefined();
    expect((await one.ask(...good)).refusal).toMatchObject({ code: "unavailable" });
    expect(events("guard_degraded").map(({ served }) => served)).toContain(false);
  });

  it("targets that the policy does not name answer unavailable, which can be retried", async () => {
    const { fail_open } = policyInForce();
    const policy = policyWith({ fail_open: { ...fail_open, targets: ["search_products"] } });
    const { ask } = newCaller({ callers: away().callers, policy });
    const { result, refusal } = await ask(...good);
    expect(refusal).toMatchObject({ code: "unavailable" });
    expect(JSON.stringify(result)).toContain('"retryable":true');
    // Without lists no client could connect to the tools that still work.
    expect((await ask("tools/list")).refusal).toBeUndefined();
    expect(
      (await ask("tools/call", { name: "search_products", arguments: { query: "dock" } })).refusal,
    ).toBeUndefined();
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["tools/call", { name: "search_products", arguments: { query: 7 } }, "invalid_arguments"],
    ["tools/call", { name: "nope" }, "unknown_tool"],
    ["tools/call", {}, "invalid_arguments"],
    ["resources/read", { uri: "catalog://nope" }, "not_found"],
    ["tools/call", { name: "get_product", arguments: { sku: "SKU-10001" } }, "permission_denied"],
    ["tools/call", { name: "get_product", arguments: { sku: 7 } }, "permission_denied"],
  ])("still refuses what needs no object: %s %j", async (method, params, code) => {
    const shopper = roleOf({ tools: ["search_products"] });
    const { ask } = newCaller({ callers: away().callers, policy: policyWith({ roles: { shopper } }) });
    expect((await ask(method, params)).refusal).toMatchObject({ code });
    expect(events("guard_degraded")).toMatchObject([]);
  });

  it("answers hold nothing about the cause, and the log does", async () => {
    const policy = policyWith({ fail_open: { ...policyInForce().fail_open, targets: [] } });
    const { ask } = newCaller({ callers: away().callers, policy });
    const { result, refusal } = await ask(...good);
    expect(JSON.stringify([result, refusal])).not.toMatch(/own words|UserWindows|CallerDO|\.ts|\bError/);
    expect(logged.join("\n")).toContain("the object's own words");
    expect(logged.join("\n")).toContain(refusal?.correlationId);
  });

  it("a flood of callers fills no memory: beyond a thousand at once they wait, and none gets a second limit", async () => {
    vi.setSystemTime(NOW + 100 * limit.window_s * 1_000);
    const { callers } = away();
    const first = newCaller({ callers });
    for (let call = 0; call < limit.max; call++) await first.ask(...good);
    const { mayGoOn } = await import("../../../src/guard/fail-open.ts");
    const served = Array.from({ length: 2_000 }, (_, index) =>
      mayGoOn(
        policyInForce(),
        `flood-${index}`,
        { name: "list_categories", bucket: "calls", products: 0 },
        Date.now(),
      ),
    );
    expect(served.filter(Boolean)).toHaveLength(999);
    expect((await first.ask(...good)).refusal).toMatchObject({ code: "unavailable" });
    vi.setSystemTime(Date.now() + limit.window_s * 1_000);
    expect((await newCaller({ callers }).ask(...good)).refusal).toBeUndefined();
  });

  it("a caller is served only so many products, however few calls they take", async () => {
    vi.setSystemTime(NOW + 1_000 * limit.window_s * 1_000);
    const { products } = policyInForce().fail_open;
    const { ask } = newCaller({ callers: away().callers });
    const page = [
      "tools/call",
      { name: "search_products", arguments: { query: "dock", limit: 50 } },
    ] as const;
    const pages = Math.floor(products.per_caller / 50);
    for (let call = 0; call < pages; call++) expect((await ask(...page)).refusal).toBeUndefined();
    expect((await ask(...page)).refusal).toMatchObject({ code: "unavailable" });
    // Answers without a product go on.
    expect((await ask(...good)).refusal).toBeUndefined();
    expect(events("guard_degraded").map(({ products: counted }) => counted)).toEqual([
      ...Array.from({ length: pages }, () => 50),
      0,
      0,
    ]);
    vi.setSystemTime(Date.now() + products.window_s * 1_000);
    expect((await ask(...page)).refusal).toBeUndefined();
  });

  it("all callers together are served only so many products", async () => {
    vi.setSystemTime(NOW + 2_000 * limit.window_s * 1_000);
    const { per_isolate } = policyInForce().fail_open.products;
    const { mayGoOn } = await import("../../../src/guard/fail-open.ts");
    const call = { name: "search_products", bucket: "calls" as const, products: 50 };
    const served = Array.from({ length: 100 }, (_, index) =>
      mayGoOn(policyInForce(), `crowd-${index}`, call, Date.now()),
    );
    expect(served.filter(Boolean)).toHaveLength(per_isolate / 50);
  });
});

describe("a settlement that is lost", () => {
  const { callers } = failing("settle", ...always(throwing({})));

  it("does not affect a public answer, and keeps its charge", async () => {
    const shopper = roleOf({ tools: ["list_categories"] });
    const limits = { ...policyInForce().limits, calls: { max: 1, window_s: 60 } };
    const { ask, object } = newCaller({
      callers,
      policy: policyWith({ limits, roles: { shopper } }),
    });
    expect((await ask(...good)).refusal).toBeUndefined();
    await vi.waitFor(() => expect(logged.join()).toMatch(/"what":"settle".*the object's own words/));
    expect((await ask(...good)).refusal).toMatchObject({ code: "rate_limited" });
    expect(await recordsOf(object)).toMatchObject([{ decision: "admitted" }, { decision: "rate_limited" }]);
  });

  it("withholds a personal answer", async () => {
    const { newGuard } = newCaller({ callers });
    const guard = await newGuard();
    const labels = {
      classes: ["contact" as const],
      kinds: ["source" as const],
      subjects: { arguments: [], results: [] },
      objects: { arguments: [], results: [] },
      cost: { records: 1, bytes: 1 },
    };
    const target = {
      kind: "tool" as const,
      name: "list_categories",
      bucket: "calls" as const,
      access: undefined,
      labels,
    };
    const admission = await guard.admit({ correlationId: "ref-1", target, args: {}, refused: {} });
    if (!admission.ok) throw new Error(admission.refusal.code);
    const ran = {
      outcome: "ok" as const,
      records: 1,
      bytes: 1,
      durationMs: 1,
      missed: false,
      tainted: false,
      canary: false,
      answer: {},
    };
    expect(await admission.value.settle(ran)).toMatchObject({ ok: false, refusal: { code: "unavailable" } });
  });
});
