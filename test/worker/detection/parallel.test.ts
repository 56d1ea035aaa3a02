import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { generateProducts } from "../../../cli/sample/generate.ts";
import { REFUSAL_META_KEY } from "../../../src/refusal.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { recordsOf } from "../support/caller.ts";
import { fill } from "../support/catalog.ts";
import { call, newAddress, post } from "../support/clients.ts";
import { withoutPace } from "../support/pace.ts";

// Honest agents send many calls at once, repeat them, and request SKUs that are gone. None of it is a crawl.

const products = [...generateProducts(1_000, 1)];
const skus = products.map(({ sku }) => sku);

beforeAll(() => fill(products));
// All at once, which test/worker/guard/batch.test.ts does with the pace.
withoutPace();

async function shopper() {
  const user = await newUser(["shopper"]);
  const { secret } = await newKey(user);
  return { as: { authorization: `Bearer ${secret}` }, user, object: env.USER_WINDOWS.getByName(user) };
}

const answerSchema = z.object({
  id: z.int(),
  result: z.object({
    structuredContent: z.looseObject({}).optional(),
    _meta: z
      .object({
        [REFUSAL_META_KEY]: z.object({ code: z.string(), retryAfterMs: z.number().optional() }).optional(),
      })
      .optional(),
  }),
});

/** Returns the structured content of an answer, or its refusal. */
function read(message: unknown) {
  const { structuredContent, _meta } = answerSchema.parse(message).result;
  return { value: structuredContent, refusal: _meta?.[REFUSAL_META_KEY] };
}

async function ask(as: Record<string, string>, name: string, args: object) {
  const { messages } = await post(call(name, args), as);
  return read(messages[0]);
}

async function incidentsOf(principal: string) {
  const { results } = await env.DB.prepare("SELECT rule FROM incidents WHERE principal = ?")
    .bind(principal)
    .all();
  return results;
}

const answeredIn = (answers: readonly { value?: unknown }[]) =>
  answers.filter(({ value }) => value !== undefined).length;

/** Outcomes are recorded after the answers. */
async function settledOf(object: Awaited<ReturnType<typeof shopper>>["object"], count: number) {
  await vi.waitFor(async () => {
    const outcomes = (await recordsOf(object)).filter(({ kind }) => kind === "outcome");
    expect(outcomes.length).toBe(count);
  });
}

describe("parallel calls are all answered, and open no incident:", () => {
  it.each([10, 50])("sixty equal searches for %i products", async (limit) => {
    const { as, user } = await shopper();
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => ask(as, "search_products", { query: "desk lamp", limit })),
    );
    expect(answeredIn(answers)).toBe(60);
    expect(await incidentsOf(user)).toEqual([]);
  });

  it("a batch of sixty searches, sent twice", async () => {
    const { as, user } = await shopper();
    const batch = (count: number) =>
      Array.from({ length: count }, (_, id) => call("search_products", { query: "keyboard" }, id));
    for (const count of [60, 40]) {
      const { messages } = await post(batch(count), as);
      const answers = z.array(z.unknown()).parse(messages.flat()).map(read);
      expect(answeredIn(answers)).toBe(count);
    }
    expect(await incidentsOf(user)).toEqual([]);
  });

  it("sixty different searches that find mostly the same", async () => {
    const { as, user } = await shopper();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        ask(as, "search_products", { query: "desk lamp", max_price: 10_000 + index }),
      ),
    );
    expect(answeredIn(answers)).toBe(60);
    expect(await incidentsOf(user)).toEqual([]);
  });

  it("thirty products read in parallel after a search, and read again", async () => {
    const { as, user } = await shopper();
    const search = await ask(as, "search_products", { query: "lamp", limit: 30 });
    const found = z.object({ products: z.array(z.object({ sku: z.string() })) }).parse(search.value).products;
    expect(found.length).toBe(30);
    for (let round = 0; round < 2; round++) {
      const answers = await Promise.all(found.map(({ sku }) => ask(as, "get_product", { sku })));
      expect(answeredIn(answers)).toBe(30);
    }
    expect(await incidentsOf(user)).toEqual([]);
  });
});

it("a crawl by sixty parallel calls is stopped within the limit plus the calls in flight", async () => {
  const { as, user, object } = await shopper();
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      ask(as, "query_stock", { skus: skus.slice(index * 15, index * 15 + 15) }),
    ),
  );
  const answered = answeredIn(answers);
  expect(answered * 15).toBeGreaterThan(150);
  expect(answered * 15).toBeLessThanOrEqual(199);
  await settledOf(object, answered);
  const { refusal } = await ask(as, "query_stock", { skus: skus.slice(-15) });
  expect(refusal).toMatchObject({ code: "rate_limited", retryAfterMs: 7_200_000 });
  expect(await incidentsOf(user)).toEqual([{ rule: "catalog-crawl" }]);
});

describe("made-up SKUs", () => {
  it("are misses, counted by name, and the catalog stays open to their network address", async () => {
    const from = { "cf-connecting-ip": newAddress() };
    const guess = (count: number, first: number) =>
      ask(from, "query_stock", {
        skus: Array.from({ length: count }, (_, index) => `ZZ-${first + index * 17}`),
      });
    expect((await guess(50, 100_000)).value).toBeDefined();
    expect((await guess(50, 200_000)).refusal).toMatchObject({ code: "rate_limited", retryAfterMs: 300_000 });
    expect((await guess(50, 300_000)).refusal).toMatchObject({ code: "rate_limited" });
    expect((await guess(49, 400_000)).refusal).toMatchObject({ code: "rate_limited" });

    const [one = "", two = ""] = skus.slice(-2);
    for (const [name, args] of [
      ["search_products", { query: "keyboard", limit: 1 }],
      ["search_products", { query: "keyboard" }],
      ["get_product", { sku: one }],
      ["query_stock", { sku: two }],
      ["query_stock", { skus: [two, "ZZ-1"] }],
      ["list_categories", {}],
    ] as const)
      expect([name, (await ask(from, name, args)).refusal]).toEqual([name, undefined]);
    expect((await ask(from, "get_product", { sku: "ZZ-2" })).refusal).toMatchObject({ code: "rate_limited" });
  });

  it("are recorded as requested, wherever they are looked up", async () => {
    const { as, object } = await shopper();
    await ask(as, "query_stock", { skus: [skus[0], "GONE-1", "GONE-2"] });
    await ask(as, "query_stock", { sku: "GONE-1" });
    await ask(as, "get_product", { sku: "GONE-2" });
    await settledOf(object, 3);
    const records = await recordsOf(object);
    const missing = records.flatMap((record) =>
      record.kind === "outcome" ? [record.flow?.missing ?? []] : [],
    );
    expect(missing.map((names) => names.length)).toEqual([2, 1, 1]);
    expect(missing[1]).toEqual(missing[0]?.slice(0, 1));
    expect(missing[2]).toEqual(missing[0]?.slice(1));
  });

  it("among many existing ones stop nobody", async () => {
    const { as, user } = await shopper();
    for (let from = 0; from < 90; from += 30) {
      const gone = Array.from({ length: 20 }, (_, index) => `OLD-${from + index}`);
      const { value } = await ask(as, "query_stock", { skus: [...skus.slice(from, from + 30), ...gone] });
      expect(value).toBeDefined();
    }
    expect(await incidentsOf(user)).toEqual([]);
  });
});
