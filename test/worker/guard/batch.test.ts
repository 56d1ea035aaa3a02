import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { Deadline } from "../../../src/deadlines.ts";
import { createGuard } from "../../../src/guard/guard.ts";
import { toolTarget, toolsByName } from "../../../src/mcp/targets.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { SECRET_KEY, policyWith, recordsOf } from "../support/caller.ts";
import { fill, sample } from "../support/catalog.ts";
import { call, post } from "../support/clients.ts";
import { losing } from "../support/failing-callers.ts";
import { sessionsByBinding } from "../support/sessions.ts";

// A batch holds up to 100 calls in one request. Other callers wait for a few of them at a time, not for all.

beforeAll(() => fill(sample));
afterEach(() => vi.restoreAllMocks());

const SIZE = 100;
const { max, window_s } = policyInForce().limits.calls;

async function shopper() {
  const user = await newUser(["shopper"]);
  const { secret } = await newKey(user);
  const object = env.USER_WINDOWS.getByName(user);
  const refusals = async () =>
    (await object.overview({ calls: window_s * 1_000, discovery: window_s * 1_000 })).refusals;
  return { as: { authorization: `Bearer ${secret}` }, object, refusals };
}

const batchOf = (name: string, args: object, size = SIZE) =>
  Array.from({ length: size }, (_, id) => call(name, args, id + 1));

const coded = (messages: unknown, code: string) =>
  JSON.stringify(messages).split(`"code":"${code}"`).length - 1;

/** Collects the admission messages to callers' objects from now on. */
function countMessages(): string[] {
  const sent: string[] = [];
  const getByName = env.USER_WINDOWS.getByName.bind(env.USER_WINDOWS);
  vi.spyOn(env.USER_WINDOWS, "getByName").mockImplementation((name) => {
    const stub = getByName(name);
    return new Proxy(stub, {
      get(target, method) {
        const found: unknown = Reflect.get(target, method);
        if (method !== "decideAll") return found;
        return (...args: unknown[]) => {
          sent.push(method);
          return Reflect.apply(Reflect.get(target, method), target, args);
        };
      },
    });
  });
  return sent;
}

describe("a batch of 100", () => {
  it("calls the database for a few calls at a time, and every call is answered", async () => {
    const { as } = await shopper();
    let [running, most] = [0, 0];
    sessionsByBinding();
    const batch = env.DB.batch.bind(env.DB);
    vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      most = Math.max(most, ++running);
      try {
        return await batch(statements);
      } finally {
        running -= 1;
      }
    });
    const { messages } = await post(batchOf("search_products", { query: "dock" }, 30), as);
    expect(messages).toHaveLength(30);
    expect(coded(messages, "timeout")).toBe(0);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(4);
  });

  it("beyond the rate limit is refused with two messages, and each call is counted", async () => {
    const { as, refusals } = await shopper();
    // Refused for their arguments, which is still charged.
    await post(batchOf("get_product", { sku: 7 }, max), as);
    const before = await refusals();
    expect(before).toEqual({ calls: max, refused: max });
    const sent = countMessages();
    const { messages } = await post(batchOf("query_stock", { sku: "SKU-10001" }), as);
    expect(coded(messages, "rate_limited")).toBe(SIZE);
    expect(sent.length).toBeLessThanOrEqual(2);
    expect(await refusals()).toEqual({ calls: max + SIZE, refused: max + SIZE });
  });

  it.each([
    ["invalid_arguments", "query_stock", { sku: 7 }],
    ["unknown_tool", "no_such_tool", {}],
    ["permission_denied", "get_customer", { customer_id: "C-1" }],
  ])("that is refused with %s takes two messages, and each call is counted", async (code, name, args) => {
    const { as, refusals } = await shopper();
    const sent = countMessages();
    const { messages } = await post(batchOf(name, args), as);
    expect(coded(messages, code)).toBe(SIZE);
    expect(sent.length).toBeLessThanOrEqual(2);
    expect(await refusals()).toEqual({ calls: SIZE, refused: SIZE });
  });

  it("whose first half fits under the limit gets that half answered and the rest refused", async () => {
    const { as, object } = await shopper();
    await post(batchOf("get_product", { sku: 7 }, max - 50), as);
    const { messages } = await post(batchOf("query_stock", { sku: "SKU-10001" }), as);
    expect(coded(messages, "rate_limited")).toBe(50);
    expect(messages).toHaveLength(SIZE);
    const records = await recordsOf(object);
    const admitted = records.filter((each) => each.kind === "attempt" && each.decision === "admitted");
    expect(admitted).toHaveLength(50);
  });
});

const stock = toolTarget(toolsByName.get("query_stock"));

function guardOf(callers: typeof env.USER_WINDOWS, atOnce: number) {
  const id = `batch-${crypto.randomUUID()}`;
  const limits = { ...policyInForce().limits, calls: { max: 10, window_s: 60 } };
  const guard = createGuard({
    policy: policyWith({ limits }),
    principal: { id, kind: "user", roles: ["shopper"], via: "key", scopes: ["catalog:read"] },
    callers,
    catalogSize: 0,
    db: env.DB,
    origin: "http://127.0.0.1",
    secretKey: SECRET_KEY,
    protocol: "2025-11-25",
    client: "test/1",
    deadline: new Deadline(5_000),
    atOnce,
  });
  const admit = (place: number) =>
    guard.admit({ correlationId: `${id}/${place}`, target: stock, args: { sku: "SKU-10001" }, refused: {} });
  return { admit, object: env.USER_WINDOWS.getByName(id) };
}

describe("the turns of a request", () => {
  it("count each call once when the answer for all of them is lost", async () => {
    const { callers, left } = losing("decideAll");
    const { admit, object } = guardOf(callers, 100);
    const admissions = await Promise.all(Array.from({ length: SIZE }, (_, place) => admit(place)));
    expect(left.size).toBe(0);
    expect(admissions.filter(({ ok }) => ok)).toHaveLength(10);
    const { refusals, budget } = await object.overview({ calls: 60_000, discovery: 60_000 });
    expect(refusals).toEqual({ calls: SIZE, refused: SIZE - 10 });
    expect(budget.find(({ bucket }) => bucket === "calls")?.used).toBe(10);
  });
});

describe("requests of one caller at the same time", () => {
  it("are all answered in time: sixty equal searches", async () => {
    const { as } = await shopper();
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => post(call("search_products", { query: "dock" }, 1), as)),
    );
    expect(answers.filter(({ messages }) => coded(messages, "timeout") > 0)).toHaveLength(0);
    expect(answers).toHaveLength(60);
  });
});
