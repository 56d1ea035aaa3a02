import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { generateProducts } from "../../../cli/sample/generate.ts";
import { fill } from "../support/catalog.ts";
import { askUcp, expectToFit, publishProfiles } from "./support.ts";

// Requests of every kind that the published schemas allow, and their answers, are checked against those schemas.

const REQUESTS = 200;
const products = [...generateProducts(120, 1)];
const groups = products.flatMap(({ group }) => (group === undefined ? [] : [group.id]));

publishProfiles();
beforeAll(() => fill(products));

const text = fc.oneof(
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
  { weight: 4, arbitrary: fc.constantFrom("lamp", "hoodie", "keyboard usb", "Red") },
);
const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const amount = fc.oneof(fc.integer({ min: 0, max: 20_000 }), fc.maxSafeNat());
const id = fc.oneof(
  fc.constantFrom(...products.map(({ sku }) => sku)),
  fc.constantFrom(...groups),
  fc.string({ maxLength: 80 }),
);
const common = {
  context: optional(
    fc.record(
      { currency: fc.constantFrom("USD", "EUR", "xx"), intent: text, address_country: text },
      { requiredKeys: [] },
    ),
  ),
  filters: optional(
    fc.record(
      {
        categories: fc.array(fc.oneof(text, fc.constantFrom(...products.map(({ category }) => category))), {
          maxLength: 25,
        }),
        price: fc.record({ min: amount, max: amount }, { requiredKeys: [] }),
        "com.example.color": text,
      },
      { requiredKeys: [] },
    ),
  ),
  signals: optional(fc.record({ "dev.ucp.buyer_ip": fc.ipV4(), "com.example.score": fc.integer() })),
  attribution: optional(fc.dictionary(text, text, { maxKeys: 3 })),
};

const kinds: { tool: string; schema: string; catalog: fc.Arbitrary<object> }[] = [
  {
    tool: "search_catalog",
    schema: "shopping/catalog_search.json#/$defs/search",
    catalog: fc.record({
      ...common,
      query: optional(text),
      pagination: optional(
        fc.record(
          {
            limit: fc.integer({ min: 1, max: 200 }),
            cursor: fc.constantFrom(undefined, undefined, undefined, "x"),
          },
          { requiredKeys: [] },
        ),
      ),
    }),
  },
  {
    tool: "lookup_catalog",
    schema: "shopping/catalog_lookup.json#/$defs/lookup",
    catalog: fc.record({ ...common, ids: fc.array(id, { minLength: 1, maxLength: 60 }) }),
  },
  {
    tool: "get_product",
    schema: "shopping/catalog_lookup.json#/$defs/get_product",
    catalog: fc.record({
      ...common,
      id,
      selected: optional(
        fc.array(fc.record({ name: fc.constantFrom("Color", "Size", "x"), label: text }), { maxLength: 4 }),
      ),
      preferences: optional(fc.array(text, { maxLength: 4 })),
    }),
  },
];

it.each(kinds)(
  "$tool takes and answers what the schemas say",
  { timeout: 120_000 },
  async ({ tool, schema, catalog }) => {
    const pairs = [];
    let answered = 0;
    for (const asked of fc.sample(catalog, { numRuns: REQUESTS, seed: 28 })) {
      const { request, answer, error, value } = await askUcp(tool, asked);
      pairs.push(
        { schema: `${schema}_request`, value: asked },
        { schema: "transports/mcp_tool_call.json#/$defs/request", value: request },
      );
      if (error !== undefined) {
        expect(error).toMatchObject({ code: -32602, data: { code: "invalid_arguments" } });
        pairs.push({ schema: "transports/jsonrpc.json#/$defs/error_response", value: answer });
        continue;
      }
      answered += 1;
      pairs.push({ schema: "transports/mcp_tool_call.json#/$defs/response", value: answer });
      const isFailure = tool === "get_product" && value !== undefined && !("product" in value);
      pairs.push({ schema: isFailure ? "common/types/error_response.json" : `${schema}_response`, value });
    }
    await expectToFit(pairs);
    expect(answered).toBeGreaterThan(REQUESTS / 2);
  },
);
