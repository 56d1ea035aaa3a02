import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { prompts } from "../../src/prompts/registry.ts";
import { REFUSAL_META_KEY } from "../../src/refusal.ts";
import { tools } from "../../src/tools/registry.ts";
import { PLANTED, fill, sample } from "./support/catalog.ts";
import { PLANTED_SUPPORT, fillDesk, signedInAs } from "./support/desk.ts";
import { call, post } from "./support/clients.ts";

beforeAll(async () => {
  await fill(sample);
  await fillDesk();
});

const PLANTED_VALUES = new RegExp([...Object.values(PLANTED), ...Object.values(PLANTED_SUPPORT)].join("|"));
// Names that only an internal column or an internal error contains.
const INTERNAL_NAMES =
  /supplier|"cost|cost_|product_id|category_id|minor_per_major|SQLITE|D1_ERROR|SELECT |\.ts:\d|internals|canary|tainted|risk_score|staff_note|processor|name_key|email_key/i;

const interesting = fc.oneof(
  fc.constantFrom(
    "SKU-10001",
    "SKU-12847",
    "C-10001",
    "C-10003",
    "O-100025",
    "T-5002",
    "ada.moreau@example.com",
    "Lind",
    "10115",
    "risk_score",
    "keyboard",
    "cost",
    "supplier_id",
    "supplier_id : *",
    "Electronics",
    "v1",
    "v2",
    "name",
    "cost DESC",
    "price_asc",
    "1; DROP TABLE products",
    "' OR 1=1 --",
    "%",
    "*",
    "",
  ),
  fc.string({ maxLength: 120 }),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.constantFrom("SKU-10001", "SKU-0"), { maxLength: 4 }),
);
const argumentNames = [
  "query",
  "sku",
  "skus",
  "category",
  "brand",
  "min_price",
  "max_price",
  "in_stock",
  "sort",
  "limit",
  "cursor",
  "version",
  "need",
  "budget",
  "cost",
  "supplier_id",
  "customer_id",
  "order_id",
  "ticket_id",
  "email",
  "phone",
  "name",
  "postcode",
  "status",
  "resolution",
  "staff_note",
];
// Support desk calls that find something; random arguments seldom do.
const deskCalls = fc.constantFrom(
  ["search_customers", { email: "ada.moreau@example.com" }],
  ["search_customers", { name: "Lind", postcode: "10115" }],
  ["get_customer", { customer_id: "C-10001" }],
  ["get_customer", { customer_id: "C-10003" }],
  ["get_customer_orders", { customer_id: "C-10001" }],
  ["get_order", { order_id: "O-100025" }],
  ["get_payment_methods", { customer_id: "C-10002" }],
  ["list_tickets", {}],
  ["get_ticket", { ticket_id: "T-5003" }],
  ["close_ticket", { ticket_id: "T-5010", resolution: "Done" }],
);
const anyArguments = fc.dictionary(fc.constantFrom(...argumentNames), interesting, { maxKeys: 6 });
const anyText = fc.oneof(
  fc.constantFrom("SKU-10001, SKU-12847", "SKU-1", "supplier_id", "Elec"),
  fc.string({ maxLength: 60 }),
);

const toolCall = fc.record({
  method: fc.constant("tools/call"),
  params: fc.record({
    name: fc.constantFrom(...tools.map((tool) => tool.definition.name)),
    arguments: anyArguments,
  }),
});
const deskRequest = fc.oneof(
  toolCall,
  deskCalls.map(([name, args]) => ({ method: "tools/call", params: { name, arguments: args } })),
);
const request = fc.oneof(
  toolCall,
  fc.record({
    method: fc.constant("resources/read"),
    params: fc.record({
      uri: fc.oneof(
        fc.constantFrom("catalog://products/summary", "catalog://categories", "data://customers/summary"),
        anyText.map((sku) => `catalog://products/${encodeURIComponent(sku)}`),
      ),
    }),
  }),
  fc.record({
    method: fc.constant("prompts/get"),
    params: fc.record({
      name: fc.constantFrom(...prompts.map((prompt) => prompt.definition.name)),
      arguments: fc.dictionary(fc.constantFrom("need", "skus", "category", "budget"), anyText, {
        maxKeys: 3,
      }),
    }),
  }),
  fc.record({
    method: fc.constant("completion/complete"),
    params: fc.record({
      ref: fc.constantFrom(
        { type: "ref/prompt", name: "find_product" },
        { type: "ref/prompt", name: "compare_products" },
        { type: "ref/resource", uri: "catalog://products/{sku}" },
      ),
      argument: fc.record({ name: fc.constantFrom("sku", "skus", "category"), value: anyText }),
    }),
  }),
);

/** Returns the answer without the caller's own input, which may be repeated to it. */
function withoutEcho(text: string, sent: unknown): string {
  const strings = new Set(JSON.stringify(sent).match(/[\w-]{3,}/g));
  return [...strings]
    .toSorted((a, b) => b.length - a.length)
    .reduce((rest, echo) => rest.replaceAll(echo, ""), text);
}

describe("internal fields", () => {
  afterEach(() => vi.restoreAllMocks());

  /** Sends batches of these requests, and expects no internal name or value in answers and log lines. */
  async function leakNothing(
    requests: fc.Arbitrary<object>,
    { numRuns, maxLength }: { numRuns: number; maxLength: number },
    caller: () => Promise<Record<string, string>>,
  ) {
    const logged: string[] = [];
    for (const level of ["log", "info", "warn", "error"] as const) {
      vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => void logged.push(parts.join(" ")));
    }
    await fc.assert(
      fc.asyncProperty(fc.array(requests, { minLength: 2, maxLength }), async (chosen) => {
        const batch = chosen.map((each, id) => ({ jsonrpc: "2.0", id, ...each }));
        const { text, messages, response } = await post(batch, await caller());
        expect(response.status).toBe(200);
        expect(messages).toHaveLength(batch.length);
        expect(text).not.toMatch(PLANTED_VALUES);
        expect(INTERNAL_NAMES.exec(withoutEcho(text, batch))?.[0]).toBeUndefined();
        expect(text).not.toContain('"code":"internal"');
      }),
      { numRuns },
    );
    return logged;
  }

  it("appear in no answer and no log line, whatever is asked", { timeout: 30_000 }, async () => {
    const logged = await leakNothing(request, { numRuns: 60, maxLength: 20 }, async () => ({}));
    expect(logged.filter((line) => PLANTED_VALUES.test(line))).toEqual([]);
  });

  it("reach no support agent either", { timeout: 30_000 }, async () => {
    // A new caller each time, so that none reaches its limit.
    const agent = () => signedInAs(["support"]);
    const logged = await leakNothing(deskRequest, { numRuns: 15, maxLength: 10 }, agent);
    expect(logged.filter((line) => PLANTED_VALUES.test(line))).toEqual([]);
  });

  it.each([PLANTED.supplier, String(PLANTED.cost)])(
    "can't be searched, filtered or completed: %s",
    async (secret) => {
      const completion = {
        ref: { type: "ref/resource", uri: "catalog://products/{sku}" },
        argument: { name: "sku", value: secret },
      };
      const complete = { jsonrpc: "2.0", id: 1, method: "completion/complete", params: completion };
      const nothing = { result: { structuredContent: { products: [] } } };
      const byQuery = await post(call("search_products", { query: secret }));
      const byBrand = await post(call("search_products", { query: "keyboard", brand: secret }));
      expect(byQuery.messages).toMatchObject([nothing]);
      const unknown = {
        result: { isError: true, _meta: { [REFUSAL_META_KEY]: { code: "invalid_arguments" } } },
      };
      expect(byBrand.messages).toMatchObject([unknown]);
      expect(byBrand.text).not.toContain(secret);
      expect((await post(complete)).messages).toMatchObject([{ result: { completion: { values: [] } } }]);
    },
  );

  it("are named by no definition", async () => {
    const lists = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
    const batch = lists.map((method, id) => ({ jsonrpc: "2.0", id, method }));
    const { text } = await post(batch, await signedInAs(["support"]));
    expect(text).toContain("get_customer");
    expect(text).not.toMatch(INTERNAL_NAMES);
  });

  it("exist in the database, so that the tests above can fail", async () => {
    const { env } = await import("cloudflare:workers");
    const row = await env.DB.prepare("SELECT cost, supplier_id FROM product_internals LIMIT 1").first();
    expect(row).toEqual({ cost: PLANTED.cost, supplier_id: PLANTED.supplier });
    const ours = await env.DB.prepare(
      `SELECT risk_score AS risk, staff_note AS note, processor_token AS token
       FROM customer_internals, payment_internals LIMIT 1`,
    ).first();
    expect(ours).toEqual(PLANTED_SUPPORT);
  });
});
