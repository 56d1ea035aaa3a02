import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { generateProducts } from "../../../cli/sample/generate.ts";
import { bearer, post } from "../identity/support/deployed.ts";
import { newKey, newUser } from "../identity/support/people.ts";
import { recordsOf } from "../support/caller.ts";
import { fill } from "../support/catalog.ts";
import { ask, deskSample, fillDesk } from "../support/desk.ts";
import { modern } from "../support/modern.ts";

// Ways in which a caller might get counted data without being counted.

const products = [...generateProducts(300, 1)];
const PEOPLE = 20;
const idOf = (index: number) => `C-${10_100 + index * 40}`;
const emailOf = (index: number) => `p${index}@example.com`;

beforeAll(async () => {
  await fill(products);
  const [, pattern] = deskSample.customers;
  if (pattern === undefined) throw new Error("no customer");
  const people = Array.from({ length: PEOPLE }, (_, index) => ({
    ...pattern,
    id: 10_100 + index * 40,
    email: emailOf(index),
  }));
  await fillDesk({ ...deskSample, customers: [...deskSample.customers, ...people] });
});

async function newCaller(role: string) {
  const user = await newUser([role]);
  const { secret } = await newKey(user);
  return { as: bearer(secret), object: env.USER_WINDOWS.getByName(user) };
}

const refusalSchema = z.looseObject({
  code: z.string(),
  correlationId: z.string(),
  hints: z.record(z.string(), z.array(z.string())).default({}),
});
/** Returns what a refusal says besides the call that it refuses. */
function saidIn({ refusal }: Awaited<ReturnType<typeof ask>>) {
  const { correlationId: _, ...said } = refusalSchema.parse(refusal);
  return said;
}

/** Returns the objects that the audit says were answered to a caller, as tokens. */
async function answeredTo({ object }: Awaited<ReturnType<typeof newCaller>>): Promise<Set<string>> {
  let outcomes: { flow: { objects: readonly string[] } | null }[] = [];
  // Public answers are settled after the response.
  await vi.waitFor(async () => {
    const records = await recordsOf(object);
    outcomes = records.filter((record) => record.kind === "outcome");
    expect(outcomes.length).toBe(records.filter(({ kind }) => kind === "attempt").length);
  });
  return new Set(outcomes.flatMap(({ flow }) => flow?.objects ?? []));
}

describe("products are counted as answered", () => {
  it("in the shape that shows no SKU", async () => {
    const caller = await newCaller("shopper");
    const { value } = await ask(caller.as, "search_products", {
      query: "desk lamp",
      limit: 20,
      version: "v1",
    });
    const shown = z.object({ products: z.array(z.object({ name: z.string() })) }).parse(value).products;
    expect(shown.length).toBeGreaterThan(3);
    expect((await answeredTo(caller)).size).toBe(shown.length);
  });

  it("as the one product that all variants of a group are, whatever names them", async () => {
    const caller = await newCaller("shopper");
    const skus = Array.from({ length: 6 }, (_, index) => `SKU-${10_011 + index}`);
    await ask(caller.as, "query_stock", { skus });
    await ask(caller.as, "query_stock", { sku: skus[0] });
    for (const sku of skus) await ask(caller.as, "get_product", { sku });
    await ask(caller.as, "get_product", { sku: skus[0] });
    await ask(caller.as, "get_product", { group: "fernhill-hoodie" });
    await ask(caller.as, "search_products", { query: "fernhill organic hoodie", limit: 1 });
    await ask(caller.as, "search_products", { query: "fernhill organic hoodie", limit: 1, version: "v1" });
    expect((await answeredTo(caller)).size).toBe(1);
  });

  it("in suggestions of a refusal or of a list of many", async () => {
    const one = await newCaller("shopper");
    const { hints } = saidIn(await ask(one.as, "get_product", { sku: "SKU-1000" }));
    const hinted = hints["nearest_skus"] ?? [];
    expect(hinted.length).toBeGreaterThan(0);
    expect((await answeredTo(one)).size).toBe(hinted.length);

    const many = await newCaller("shopper");
    const unknown = { skus: [`${"\u200b".repeat(201)}SKU-1000`, "SKU-1001"] };
    const { value } = await ask(many.as, "query_stock", unknown);
    const schema = z.object({ not_found: z.array(z.object({ nearest_skus: z.array(z.string()) })) });
    const nearest = schema.parse(value).not_found.flatMap(({ nearest_skus }) => nearest_skus);
    expect(nearest.length).toBeGreaterThan(0);
    expect((await answeredTo(many)).size).toBe(new Set(nearest).size);
  });

  it("in a completion, whatever precedes the completed text", async () => {
    const caller = await newCaller("inventory");
    const complete = async (value: string) => {
      const { body, headers } = modern("completion/complete", {
        ref: { type: "ref/prompt", name: "compare_products" },
        argument: { name: "skus", value },
      });
      const response = await post(body, { ...headers, ...caller.as });
      const schema = z.object({
        result: z.object({ completion: z.object({ values: z.array(z.string()) }) }),
      });
      return schema.parse(await response.json()).result.completion.values;
    };
    const before = `${"A".repeat(210)},`;
    const [padded, plain] = [await complete(`${before}SKU-1`), await complete("SKU-1")];
    expect(plain.length).toBeGreaterThan(0);
    expect(padded).toEqual(plain.map((sku) => before + sku));
    expect((await answeredTo(caller)).size).toBe(plain.length);
  });
});

describe("the limit of people", () => {
  it("answers a search for a stranger and one for nobody alike; people already read stay findable", async () => {
    const { as } = await newCaller("support");
    for (let index = 0; index < 7; index++)
      expect((await ask(as, "search_customers", { email: emailOf(index) })).value).toBeDefined();
    const search = (email: string) => ask(as, "search_customers", { email });
    expect((await search(emailOf(0))).value).toBeDefined();
    const [stranger, nobody] = [await search(emailOf(10)), await search("nobody@example.com")];
    expect(saidIn(stranger).code).toBe("confirmation_required");
    expect(saidIn(nobody)).toEqual(saidIn(stranger));
    const [held, none] = [
      await ask(as, "get_ticket", { ticket_id: "T-5001" }),
      await ask(as, "get_ticket", { ticket_id: "T-999999" }),
    ];
    expect(saidIn(none)).toEqual(saidIn(held));
  });

  it("is not reached by calls that failed", async () => {
    const { as, object } = await newCaller("support");
    await env.DB.prepare("ALTER TABLE customers RENAME TO customers_away").run();
    for (let index = 0; index < 9; index++)
      expect(saidIn(await ask(as, "get_customer", { customer_id: idOf(index) })).code).toBe("internal");
    await env.DB.prepare("ALTER TABLE customers_away RENAME TO customers").run();
    const outcomes = (await recordsOf(object)).filter((record) => record.kind === "outcome");
    expect(outcomes.map(({ flow }) => flow)).toEqual(Array.from({ length: 9 }, () => null));
    expect((await ask(as, "get_customer", { customer_id: idOf(12) })).value).toBeDefined();
  });
});

it("tickets cannot be closed one after the other without a person", async () => {
  const { as } = await newCaller("support");
  const codes = [];
  for (const { id } of deskSample.tickets.slice(0, 20)) {
    const closed = await ask(as, "close_ticket", { ticket_id: `T-${id}`, resolution: "Done" });
    codes.push(closed.value === undefined ? saidIn(closed).code : "closed");
  }
  expect(codes).toEqual([
    ...Array.from({ length: 15 }, () => "closed"),
    ...Array.from({ length: codes.length - 15 }, () => "confirmation_required"),
  ]);
  expect(codes.length).toBeGreaterThan(16);
});

it("a call that lacks a scope is recorded with its target", async () => {
  const { as, object } = await newCaller("shopper");
  const refused = async (customer_id: string) => {
    const { body, headers } = modern("tools/call", { name: "get_customer", arguments: { customer_id } });
    expect((await post(body, { ...headers, ...as })).status).toBe(403);
    await vi.waitFor(async () => expect(await recordsOf(object)).not.toEqual([]));
  };
  await refused("C-10042");
  const [record] = await recordsOf(object);
  expect(record).toMatchObject({
    kind: "attempt",
    decision: "permission_denied",
    arguments: '{"redacted":1}',
  });
  expect(record?.kind === "attempt" && record.flow?.subjects).toHaveLength(1);
});
