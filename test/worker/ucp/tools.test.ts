import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { newKey, newUser } from "../identity/support/people.ts";
import { ORIGIN, bearer, challenge, form, send as sendDeployed } from "../identity/support/deployed.ts";
import { granted } from "../identity/support/oauth-client.ts";
import { policyInForce } from "../../../src/policy/bundled.ts";
import { call, connectClient, post, send } from "../support/clients.ts";
import { fill, keyboard, product, sample } from "../support/catalog.ts";
import { META, WHOLE, askUcp, expectToFit, publishProfiles } from "./support.ts";

const VERSION = "2026-08-25";

const shirt = (sku: string, Color: string, Size: string, quantity: number, price_minor = 2_000) =>
  product({
    sku,
    name: `Linen Shirt ${Color} ${Size}`,
    category: "Clothing > Shirts",
    price_minor,
    group: { id: "linen-shirt", name: "Linen Shirt" },
    options: { Color, Size },
    stock: [{ warehouse: "east", quantity }],
  });

const fetched: string[] = [];
publishProfiles(({ url }) => {
  fetched.push(url);
  return Response.json(WHOLE);
});
beforeAll(async () => {
  await fill([
    ...sample,
    shirt("LS-BLUE-S", "Blue", "S", 0),
    shirt("LS-BLUE-M", "Blue", "M", 4, 2_500),
    shirt("LS-RED-M", "Red", "M", 2),
    ...Array.from({ length: 14 }, (_, index) =>
      product({ sku: `MUG-${index}`, name: `Stone Mug ${index}`, url: `https://shop.example/mügs/${index}` }),
    ),
  ]);
});

const productSchema = z.looseObject({
  id: z.string(),
  title: z.string(),
  price_range: z.unknown().optional(),
  variants: z.array(z.looseObject({ id: z.string(), inputs: z.unknown().optional() })),
  options: z.unknown().optional(),
  selected: z.unknown().optional(),
});
const pageSchema = z.looseObject({
  products: z.array(productSchema),
  messages: z.unknown().optional(),
  pagination: z.object({ has_next_page: z.boolean(), cursor: z.string().optional() }).optional(),
});
const idsIn = (value: unknown) => pageSchema.parse(value).products.map(({ id }) => id);
const productIn = (value: unknown) => z.looseObject({ product: productSchema }).parse(value).product;

it("publishes a profile that fits the schema, with the endpoint", async () => {
  const response = await send("/.well-known/ucp");
  expect(response.headers.get("cache-control")).toBe("public, max-age=3600");
  const profile: unknown = await response.json();
  await expectToFit([{ schema: "profile.json#/$defs/business_schema", value: profile }]);
  expect(profile).toMatchObject({
    ucp: { version: VERSION, services: { "dev.ucp.shopping": [{ endpoint: "http://127.0.0.1/ucp/mcp" }] } },
    keys: [],
  });
});

describe("search_catalog", () => {
  it("answers in both halves, in minor units, with the version and the capability", async () => {
    const { value, content, answer } = await askUcp("search_catalog", { query: "wireless keyboard" });
    await expectToFit([
      { schema: "shopping/catalog_search.json#/$defs/search_response", value },
      { schema: "transports/mcp_tool_call.json#/$defs/response", value: answer },
    ]);
    expect(value).toMatchObject({
      ucp: { version: VERSION, capabilities: { "dev.ucp.shopping.catalog.search": [{ version: VERSION }] } },
      products: [
        {
          id: keyboard.sku,
          price_range: { min: { amount: 7999, currency: "USD" } },
          variants: [{ id: keyboard.sku, availability: { available: true, status: "in_stock" } }],
        },
      ],
    });
    expect(JSON.parse(content?.[0].text ?? "")).toEqual(value);
  });

  it("answers pages of ten, which a cursor continues", async () => {
    const first = await askUcp("search_catalog", { query: "stone mug" });
    const { products, pagination } = pageSchema.parse(first.value);
    expect(products.length).toBe(10);
    expect(pagination?.has_next_page).toBe(true);
    const rest = await askUcp("search_catalog", {
      query: "stone mug",
      pagination: { cursor: pagination?.cursor },
    });
    expect(new Set([...idsIn(first.value), ...idsIn(rest.value)]).size).toBe(14);
    expect(pageSchema.parse(rest.value).pagination).toEqual({ has_next_page: false });
  });

  it("clamps a page above its maximum", async () => {
    const { value } = await askUcp("search_catalog", { query: "stone mug", pagination: { limit: 9_999 } });
    expect(idsIn(value).length).toBe(14);
  });

  it("finds products of any of the categories, in the range of prices", async () => {
    const filters = { categories: ["clothing", "Electronics", "No such"], price: { min: 2_000, max: 3_000 } };
    const { value } = await askUcp("search_catalog", { filters });
    expect(idsIn(value).toSorted()).toEqual(["SKU-10002", "linen-shirt"]);
    const nowhere = await askUcp("search_catalog", { filters: { categories: ["No such"] } });
    expect(idsIn(nowhere.value)).toEqual([]);
  });

  it("leaves out a price filter in another currency, and says so", async () => {
    const { value } = await askUcp("search_catalog", {
      query: "keyboard",
      filters: { price: { max: 1 } },
      context: { currency: "EUR" },
    });
    expect(idsIn(value)).toContain(keyboard.sku);
    expect(value).toMatchObject({ messages: [{ type: "warning", code: "price_filter_ignored" }] });
  });

  it.each([
    ["nothing to look for", {}],
    ["a page of no products", { query: "mug", pagination: { limit: 0 } }],
    ["a cursor of nobody", { query: "mug", pagination: { cursor: "nonsense" } }],
  ])("refuses %s as invalid params", async (_, catalog) => {
    const { error, response, answer } = await askUcp("search_catalog", catalog);
    expect(error?.code).toBe(-32602);
    expect(response.status).toBe(400);
    await expectToFit([{ schema: "transports/jsonrpc.json#/$defs/error_response", value: answer }]);
  });
});

describe("lookup_catalog", () => {
  it("answers what it finds, each product once, and names the other ids", async () => {
    const ids = ["LS-RED-M", "linen-shirt", keyboard.sku, "LS-RED-M", "NO-1", "no group"];
    const { value } = await askUcp("lookup_catalog", { ids });
    await expectToFit([{ schema: "shopping/catalog_lookup.json#/$defs/lookup_response", value }]);
    const { products, messages } = pageSchema.parse(value);
    const inputs = products.map(({ id, variants }) => [id, variants.map((each) => [each.id, each.inputs])]);
    expect(Object.fromEntries(inputs)).toEqual({
      [keyboard.sku]: [[keyboard.sku, [{ id: keyboard.sku, match: "exact" }]]],
      "linen-shirt": [
        ["LS-RED-M", [{ id: "LS-RED-M", match: "exact" }]],
        ["LS-BLUE-M", [{ id: "linen-shirt", match: "featured" }]],
      ],
    });
    expect(messages).toEqual([
      { type: "info", code: "not_found", content: "NO-1" },
      { type: "info", code: "not_found", content: "no group" },
    ]);
  });

  it("leaves out products outside the filters", async () => {
    const { value } = await askUcp("lookup_catalog", {
      ids: [keyboard.sku, "LS-BLUE-M"],
      filters: { price: { max: 3_000 } },
    });
    expect(idsIn(value)).toEqual(["linen-shirt"]);
  });

  it("refuses more ids than it takes", async () => {
    const ids = Array.from({ length: 51 }, (_, index) => `ID-${index}`);
    expect((await askUcp("lookup_catalog", { ids })).error?.code).toBe(-32602);
  });
});

describe("get_product", () => {
  it("shows the variant that an id names first, with what else can be chosen", async () => {
    const { value } = await askUcp("get_product", {
      id: "LS-BLUE-S",
      selected: [{ name: "Color", label: "Red" }],
    });
    await expectToFit([{ schema: "shopping/catalog_lookup.json#/$defs/get_product_response", value }]);
    expect(productIn(value)).toMatchObject({
      id: "linen-shirt",
      title: "Linen Shirt",
      price_range: { min: { amount: 2_000 }, max: { amount: 2_500 } },
      variants: [{ id: "LS-BLUE-S", availability: { available: false } }],
      selected: [
        { name: "Color", label: "Blue" },
        { name: "Size", label: "S" },
      ],
      options: [
        {
          name: "Color",
          values: [
            { label: "Blue", exists: true, available: false },
            { label: "Red", exists: false, available: false },
          ],
        },
        {
          name: "Size",
          values: [
            { label: "S", exists: true, available: false },
            { label: "M", exists: true, available: true },
          ],
        },
      ],
    });
  });

  it.each([
    [["Color", "Size"], [{ name: "Color", label: "Red" }], ["LS-RED-M"]],
    [["Size", "Color"], [{ name: "Size", label: "S" }], ["LS-BLUE-S"]],
  ])("gives up the last of the preferences %s first", async (preferences, kept, variants) => {
    const selected = [
      { name: "Color", label: "Red" },
      { name: "Size", label: "S" },
    ];
    const { value } = await askUcp("get_product", { id: "linen-shirt", selected, preferences });
    const found = productIn(value);
    expect(found.selected).toEqual(kept);
    expect(found.variants.map(({ id }) => id)).toEqual(variants);
  });

  it("answers an unknown id with an error that must not be repeated", async () => {
    const { value, answer } = await askUcp("get_product", { id: "NO-SUCH" });
    await expectToFit([
      { schema: "common/types/error_response.json", value },
      { schema: "transports/mcp_tool_call.json#/$defs/response", value: answer },
    ]);
    expect(value).toMatchObject({
      ucp: { status: "error" },
      messages: [{ code: "not_found", severity: "unrecoverable" }],
    });
  });
});

describe("the endpoint", () => {
  it("serves the official client of either era", async () => {
    for (const era of ["2026-07-28", "2025"] as const) {
      const client = await connectClient(era, {}, "/ucp/mcp");
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(["search_catalog", "lookup_catalog", "get_product"]);
      const answer = await client.callTool({
        name: "get_product",
        arguments: { meta: META, catalog: { id: keyboard.sku } },
      });
      expect(productIn(answer.structuredContent).id).toBe(keyboard.sku);
      await client.close();
    }
  });

  it("serves a caller by key, and refuses a wrong one", async () => {
    const { secret } = await newKey(await newUser(["shopper"]));
    const { value } = await askUcp("get_product", { id: keyboard.sku }, bearer(secret));
    expect(productIn(value).id).toBe(keyboard.sku);
    const refused = await send("/ucp/mcp", { method: "POST", headers: bearer(`${secret}x`), body: "{}" });
    expect(refused.status).toBe(401);
  });

  it.each(["GET", "DELETE"])("answers %s as every endpoint does", async (method) => {
    const { secret } = await newKey(await newUser(["shopper"]));
    for (const headers of [{}, bearer(secret)])
      expect((await send("/ucp/mcp", { method, headers })).status).toBe(405);
  });

  it("does not have the catalog's own tools, nor does /mcp have these", async () => {
    const { error } = await askUcp("query_stock", {});
    expect(error?.data.code).toBe("unknown_tool");
    const { messages } = await post({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "ucp:search_catalog", arguments: {} },
    });
    expect(messages).toMatchObject([{ error: { data: { code: "unknown_tool" } } }]);
  });

  it("serves a caller by OAuth token, and refuses it when it is revoked", async () => {
    const { tokens, flow } = await granted();
    const asks = (headers: Record<string, string> = bearer(tokens.access_token)) =>
      sendDeployed("/ucp/mcp", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(call("get_product", { meta: META, catalog: { id: keyboard.sku } })),
      });
    const answer = z.object({ result: z.object({ structuredContent: z.unknown() }) });
    expect(productIn(answer.parse(await (await asks()).json()).result.structuredContent).id).toBe(
      keyboard.sku,
    );
    await sendDeployed("/oauth/token", form({ token: tokens.refresh_token, client_id: flow.clientId }));
    const refused = await Promise.all([asks(), asks({}), asks(bearer("nonsense"))]);
    expect(refused.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(refused.map((each) => challenge(each)["resource_metadata"])).toEqual(
      Array.from({ length: 3 }, () => `${ORIGIN}/.well-known/oauth-protected-resource/mcp`),
    );
  });

  it("answers the call after the last one of a minute with 429 and retry_after, and fetches nothing for it", async () => {
    const { secret } = await newKey(await newUser(["shopper"]));
    const { max } = policyInForce().limits.calls;
    for (let calls = 0; calls < max; calls++)
      expect((await askUcp("get_product", { id: keyboard.sku }, bearer(secret))).error).toBeUndefined();
    const before = fetched.length;
    const meta = { "ucp-agent": { profile: "https://new-agent.example/profile" } };
    const { error, response } = await askUcp("get_product", { id: keyboard.sku }, bearer(secret), meta);
    expect([response.status, error?.code]).toEqual([429, -32000]);
    const { retry_after } = z.looseObject({ retry_after: z.int() }).parse(error?.data);
    expect(retry_after).toBeGreaterThan(0);
    expect(response.headers.get("retry-after")).toBe(String(retry_after));
    expect(fetched.length).toBe(before);
  });
});
